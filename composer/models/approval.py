"""A person's yes to exact bytes, and those bytes."""

from django.conf import settings
from django.db import models
from django.utils.timezone import now


class ApprovalQuerySet(models.QuerySet["Approval"]):
    def standing(self) -> "ApprovalQuerySet":
        """Those nothing has voided."""
        return self.filter(voided_at__isnull=True)

    def void(self, reason: str) -> int:
        return self.standing().update(voided_at=now(), void_reason=reason)


class Approval(models.Model):
    """Bytes, subject, headers, images and audience rules of an edition, frozen at one moment."""

    edition = models.ForeignKey("composer.Edition", on_delete=models.PROTECT, related_name="approvals")
    #: SHA-256 over all variants and the audience rules, hex.
    content_hash = models.CharField(max_length=64)
    #: Rule tree by segment slug, as the rules stood when the edition was approved.
    audience_rules = models.JSONField(default=dict)
    #: Merge tags used in any variant, with the editor's defaults.
    merge_tags = models.JSONField(default=dict)
    #: What shapes the request beside the bytes: {"tracking": bool, "track_unknown": bool, "category": the publication's slug}.
    #: Empty in approvals older than this field, without "track_unknown" in some.
    request = models.JSONField(default=dict)
    timezone = models.CharField(max_length=64)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    approved_at = models.DateTimeField(default=now)
    voided_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.CharField(max_length=200, blank=True)

    objects = ApprovalQuerySet.as_manager()

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["-approved_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["edition"],
                condition=models.Q(voided_at__isnull=True),
                name="composer_approval_one_standing",
                violation_error_message="This edition is approved already.",
            ),
            models.CheckConstraint(
                condition=models.Q(content_hash__regex=r"^[0-9a-f]{64}$"), name="composer_approval_hash"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.edition} approved {self.approved_at:%Y-%m-%d %H:%M}"

    @property
    def stands(self) -> bool:
        return self.voided_at is None

    @property
    def approver(self) -> str:
        """Who said yes; a command has no person behind it."""
        if self.approved_by is None:
            return "the command line"
        return self.approved_by.get_full_name() or self.approved_by.get_username()


class Variant(models.Model):
    """Frozen bytes for one set of visible stories. The database refuses any change."""

    approval = models.ForeignKey(Approval, on_delete=models.CASCADE, related_name="variants")
    position = models.PositiveSmallIntegerField()
    #: The sets of segment slugs whose members read this variant: [["vip"], ["vip", "asia"]]; [[]] = everybody else.
    audiences = models.JSONField()
    #: Number of stories; 0 = nothing to read, its readers are excluded.
    stories = models.PositiveSmallIntegerField()
    subject = models.TextField(blank=True)
    preheader = models.TextField(blank=True)
    html = models.TextField(blank=True)
    text = models.TextField(blank=True)
    #: Message headers that are the same for every reader.
    headers = models.JSONField(default=dict)

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["approval", "position"]
        constraints = [
            models.UniqueConstraint(fields=["approval", "position"], name="composer_variant_position"),
            models.CheckConstraint(
                condition=models.Q(stories=0) | (models.Q(html__regex=r"\S") & models.Q(text__regex=r"\S")),
                name="composer_variant_bytes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.approval} · variant {self.position}"
