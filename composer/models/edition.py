"""A numbered issue of a publication."""

from collections.abc import Sequence
from typing import Any

from django.contrib.contenttypes.fields import GenericRelation
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from wagtail.fields import RichTextField, StreamField
from wagtail.locks import BaseLock
from wagtail.models import DraftStateMixin, LockableMixin, PreviewableMixin, Revision, RevisionMixin
from wagtail.search import index

from composer import placements, story_copying
from composer.blocks import ContentBlock
from composer.locking import ApprovedLock
from composer.models.approval import Approval
from composer.models.preview_sizes import PREVIEW_SIZES
from composer.models.publication import Publication

INTRODUCTION_FEATURES = ["bold", "italic", "link", "ul", "ol"]
#: What readers see: a change to any of these voids an approval.
WRITTEN = (
    "publication",
    "number",
    "slot",
    "title",
    "subject",
    "preheader",
    "introduction",
    "content",
    "closing_heading",
    "closing",
    "call_to_action_label",
    "call_to_action_url",
)


class PublishRefused(PermissionDenied):
    """Approving is the only way out: an edition is never published by Wagtail's own means."""


class Edition(PreviewableMixin, LockableMixin, DraftStateMixin, RevisionMixin, index.Indexed, models.Model):
    """The row always says what its latest revision says; revisions are its history, never a second truth.

    Wagtail's own notion of being live is not used: whether an edition may go out is its standing approval.
    """

    publication = models.ForeignKey("composer.Publication", on_delete=models.PROTECT, related_name="editions")
    number = models.PositiveIntegerField(null=True, blank=True, editable=False)
    #: The moment of the weekly slot this edition is for.
    slot = models.DateTimeField(null=True, blank=True, help_text="When it is meant to go out.")
    title = models.CharField(max_length=200)
    subject = models.CharField(max_length=300, blank=True, help_text="Empty = the title.")
    preheader = models.CharField(max_length=300, blank=True, help_text="The line mail clients show beside the subject.")
    introduction = RichTextField(blank=True, features=INTRODUCTION_FEATURES)
    content = StreamField(ContentBlock(), blank=True, verbose_name="stories")
    closing_heading = models.CharField(max_length=120, blank=True)
    closing = RichTextField(blank=True, features=INTRODUCTION_FEATURES)
    call_to_action_label = models.CharField("call to action", max_length=300, blank=True)
    call_to_action_url = models.CharField("its URL", max_length=2000, blank=True)
    #: Parts of the frame (`composer.standing_matter`) that stay as they were last week because somebody said so; with commas.
    kept = models.CharField(max_length=100, blank=True, default="")
    #: Of the page on which it was written first: whatever is posted from there again is this edition, never another one.
    form_token = models.UUIDField(null=True, unique=True, editable=False)
    live = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    _revisions = GenericRelation("wagtailcore.Revision", related_query_name="edition")
    _remembered: Sequence[Approval | None] = ()

    search_fields = [
        index.SearchField("title"),
        index.AutocompleteField("title"),
        index.SearchField("content"),
        index.FilterField("publication"),
        index.FilterField("number"),
        index.FilterField("created_at"),
    ]

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["publication", "number"], name="composer_edition_number"),
            models.UniqueConstraint(
                fields=["publication", "slot"],
                name="composer_edition_slot",
                violation_error_message="Another edition of this publication has this slot.",
            ),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="composer_edition_number_positive"),
            models.CheckConstraint(condition=models.Q(live=False), name="composer_edition_never_live"),
        ]

    def __str__(self) -> str:
        title = self.title or "Untitled"
        return f"{title} (No. {self.number})" if self.number else title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save it, with the publication's next number if it has none yet."""
        if self.number or not self.publication_id:
            super().save(*args, **kwargs)
            return
        with transaction.atomic():
            # One writer at a time takes a number: whoever comes second sees the first one's edition.
            Publication.objects.select_for_update(no_key=True).get(pk=self.publication_id)
            last = Edition.objects.filter(publication=self.publication_id).aggregate(last=models.Max("number"))["last"]
            self.number = (last or 0) + 1
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "number"}
            super().save(*args, **kwargs)

    @property
    def approval(self) -> Approval | None:
        """The standing approval; None when the edition is a draft or was reopened."""
        if self._remembered:
            return self._remembered[0]
        return self.approvals.standing().select_related("approved_by").first() if self.pk else None

    def remember_approval(self) -> None:
        """Ask for the approval once: for a page that only reads, and does so in a dozen places."""
        self._remembered = [self.approval]

    def save_revision(self, *args: Any, **kwargs: Any) -> Revision:
        """Save row, revision and placements in one transaction; void a standing approval if anything changed."""
        with transaction.atomic():
            story_copying.prepare(self.content)
            before = Edition.objects.select_for_update(no_key=True).filter(pk=self.pk).first()
            last = before.latest_revision if before else None
            written_before = {name: last.content.get(name) for name in WRITTEN} if last else None
            revision = super().save_revision(*args, **kwargs)
            revision.refresh_from_db(fields=["content"])
            if {name: revision.content.get(name) for name in WRITTEN} != written_before:
                self.approvals.void("edited")
                placements.rewrite(self)
            return revision

    def _update_from_revision(self, revision: Revision, _changed: bool = True) -> None:
        self.latest_revision = revision
        self.has_unpublished_changes = True
        self.save()

    def get_latest_revision_as_object(self) -> "Edition":
        return self

    def with_content_json(self, content: dict[str, Any]) -> "Edition":
        """An old revision brings back words, never the edition's place in its publication."""
        edition: Edition = super().with_content_json(content)
        edition.publication_id, edition.number, edition.slot = self.publication_id, self.number, self.slot
        edition.created_at = self.created_at
        return edition

    def get_lock(self) -> BaseLock | None:
        approval = self.approval
        return ApprovedLock(self, approval) if approval else super().get_lock()

    @property
    def preview_modes(self) -> list[tuple[str, str]]:
        from composer.previewing import modes  # noqa: PLC0415 - Wagtail's knot: the preview knows the model

        return modes(self)

    @property
    def default_preview_mode(self) -> str:
        # Asked for with every preview: Wagtail would make all modes to take the first.
        return "html"

    @property
    def preview_sizes(self) -> list[dict[str, Any]]:
        return PREVIEW_SIZES

    def serve_preview(self, _request: HttpRequest, mode_name: str) -> HttpResponse:
        from composer.previewing import confined, edition_page  # noqa: PLC0415 - Wagtail's knot: the preview knows the model

        return confined(edition_page(self, mode_name))

    def publish(self, *_args: object, **_kwargs: object) -> None:
        """Refuse, always: bytes leave only through `composer.approval.approve`. Raises PublishRefused."""
        raise PublishRefused("An edition is approved, not published: use Approve.")

    def unpublish(self, *_args: object, **_kwargs: object) -> None:
        """Refuse, always: what was sent stays sent; a draft is reopened. Raises PublishRefused."""
        raise PublishRefused("What was approved can only be reopened: use Reopen.")
