"""A numbered issue of a publication."""


from django.contrib.contenttypes.fields import GenericRelation
from django.db import models
from wagtail.fields import RichTextField, StreamField
from wagtail.models import DraftStateMixin, LockableMixin, PreviewableMixin, RevisionMixin
from wagtail.search import index

from composer.blocks import ContentBlock
from composer.models.approval import Approval

INTRODUCTION_FEATURES = ["bold", "italic", "link", "ul", "ol"]


class Edition(  # type: ignore[misc]  # Wagtail ships no types
    PreviewableMixin, LockableMixin, DraftStateMixin, RevisionMixin, index.Indexed, models.Model
):
    publication = models.ForeignKey("composer.Publication", on_delete=models.PROTECT, related_name="editions")
    number = models.PositiveIntegerField(null=True, blank=True, editable=False)
    #: The moment of the weekly slot this edition is for.
    slot = models.DateTimeField(null=True, blank=True)
    title = models.CharField(max_length=200)
    subject = models.CharField(max_length=300, blank=True, help_text="Empty = the title.")
    preheader = models.CharField(max_length=300, blank=True, help_text="The line mail clients show beside the subject.")
    introduction = RichTextField(blank=True, features=INTRODUCTION_FEATURES)
    content = StreamField(ContentBlock(), blank=True)
    closing_heading = models.CharField(max_length=120, blank=True)
    closing = RichTextField(blank=True, features=INTRODUCTION_FEATURES)
    call_to_action_label = models.CharField("call to action", max_length=300, blank=True)
    call_to_action_url = models.CharField("its URL", max_length=2000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    _revisions = GenericRelation("wagtailcore.Revision", related_query_name="edition")

    search_fields = [
        index.SearchField("title"),
        index.AutocompleteField("title"),
        index.SearchField("content"),
        index.FilterField("publication"),
        index.FilterField("number"),
    ]

    class Meta:
        ordering = ["-number", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["publication", "number"], name="composer_edition_number"),
            models.UniqueConstraint(fields=["publication", "slot"], name="composer_edition_slot"),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="composer_edition_number_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.title} (No. {self.number})" if self.number else self.title

    @property
    def approval(self) -> Approval | None:
        """The standing approval; None when the edition is a draft or was reopened."""
        return self.approvals.standing().first() if self.pk else None
