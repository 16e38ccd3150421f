"""An address we must not mail, and why."""

from django.db import models
from django.db.models.functions import Lower, Now


class Suppression(models.Model):
    class Reason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", "unsubscribed"
        HARD_BOUNCE = "hard_bounce", "hard bounce"
        SOFT_BOUNCE = "soft_bounce", "soft bounces"
        SUNSET = "sunset", "neither opens nor clicks"
        COMPLAINT = "complaint", "complaint"
        INVALID = "invalid", "invalid address"
        MANUAL = "manual", "by hand"
        ERASED = "erased", "erased"

    #: In lower case; "@example.com" for a whole domain; "md5:", "sha1:" or "sha256:" and the hex digest of the lower-case
    #: address where only that is known; "hmac:" and a keyed hash for an erased reader (`subscribers.erased`; of old "sha256:").
    address = models.CharField(max_length=320)
    #: None = everywhere. An unsubscribe holds for one publication; bounces, complaints and erasures hold everywhere.
    publication = models.ForeignKey("composer.Publication", null=True, blank=True, on_delete=models.CASCADE)
    reason = models.CharField(max_length=12, choices=Reason)
    #: What the provider or the person said.
    detail = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    wagtail_reference_index_ignore = True

    class Meta:
        indexes = [
            # Every batch asks whether any erased address exists: the answer must not need a scan.
            models.Index(
                fields=["address"], condition=models.Q(reason="erased"), name="subscribers_suppression_erased"
            ),
            models.Index(
                fields=["address"],
                condition=models.Q(address__startswith="@"),
                name="subscribers_suppression_domain",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["address", "publication", "reason"],
                nulls_distinct=False,
                name="subscribers_suppression_once",
            ),
            models.CheckConstraint(condition=models.Q(address=Lower("address")), name="subscribers_suppression_lower"),
            models.CheckConstraint(
                condition=~models.Q(reason__in=["hard_bounce", "soft_bounce", "complaint", "erased", "invalid"])
                | models.Q(publication__isnull=True),
                name="subscribers_suppression_scope",
            ),
            models.CheckConstraint(
                condition=~models.Q(reason__in=["unsubscribed", "sunset"]) | models.Q(publication__isnull=False),
                name="subscribers_suppression_unsubscribed",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    reason__in=[
                        "unsubscribed",
                        "hard_bounce",
                        "soft_bounce",
                        "sunset",
                        "complaint",
                        "invalid",
                        "manual",
                        "erased",
                    ]
                ),
                name="subscribers_suppression_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.address}: {self.get_reason_display()}"


class LiftedSuppression(models.Model):
    """A suppression that a person took away, and why. Of an address only its hash stays."""

    #: "hmac:…" (`subscribers.erased`; of old "sha256:…"), or a domain.
    address = models.CharField(max_length=320)
    publication = models.ForeignKey("composer.Publication", null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=12)
    why = models.CharField(max_length=500)
    at = models.DateTimeField(db_default=Now())

    wagtail_reference_index_ignore = True

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.address}: {self.reason} lifted, {self.why}"
