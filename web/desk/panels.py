"""The edition's form: the envelope, what it says, and how it ends."""

from typing import Any

from django import forms
from django.utils.functional import cached_property
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList

from composer.history import edition_before
from composer.models import Placement, Story
from composer.permissions import Right, within
from composer.standing_matter import untouched
from web.desk.inbox_line import InboxLinePanel
from web.desk.running_order import RunningOrderPanel
from web.desk.scoped import ScopedForm
from web.desk.slot_field import put_on_clock
from web.desk.standing_fields import StandingFieldPanel
from web.desk.weekly_slot import WEEKLY_SLOT, PublicationForm

#: No screen says what the name of the field would.
DATED = "Date at the source"


class EditionForm(ScopedForm):
    right = Right.EDIT

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "publication" in self.fields:
            # Its number counts within its publication: it stays where it is.
            self.fields["publication"].disabled = True
            self.fields["publication"].choices = [(self.instance.publication_id, self.instance.publication)]
        put_on_clock(self)

    @cached_property
    def untouched(self) -> frozenset[str]:
        """The parts of the frame that are still last week's."""
        if not self.instance.publication_id:
            return frozenset()
        return untouched(self.instance, edition_before(self.instance))

    def clean(self) -> dict[str, Any]:
        """A picked story is copied when the edition is saved: only what the person may see, or what stood there before."""
        cleaned: dict[str, Any] = super().clean() or {}
        blocks = [block for block in cleaned.get("content") or () if block.block_type == "story"]
        picked = {block.value["story"].pk for block in blocks if block.value.get("story")}
        seen = within(Story.objects.filter(pk__in=picked), self.for_user, Right.SEE) if picked else Story.objects.none()
        unseen = picked - set(seen.values_list("pk", flat=True))
        if unseen and self.instance.pk:
            unseen -= set(Placement.objects.filter(edition=self.instance.pk).values_list("story", flat=True))
        if unseen:
            self.add_error("content", "A story is not of your publications; take it out.")
        return cleaned


EDITION_PANELS = ObjectList(
    [
        FieldPanel("title"),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("publication"), FieldPanel("slot")]),
                FieldPanel("subject"),
                StandingFieldPanel("preheader"),
                InboxLinePanel(heading="In the inbox"),
            ],
            heading="Envelope",
        ),
        StandingFieldPanel("introduction"),
        RunningOrderPanel(heading="Running order", icon="list-ol"),
        FieldPanel("content"),
        MultiFieldPanel(
            [
                FieldPanel("closing_heading"),
                StandingFieldPanel("closing"),
                FieldRowPanel([StandingFieldPanel("call_to_action_label"), FieldPanel("call_to_action_url")]),
                FieldPanel("kept", widget=forms.HiddenInput, classname="w-hidden"),
            ],
            heading="Closing",
        ),
    ],
    base_form_class=EditionForm,
)

STORY_PANELS = ObjectList(
    [
        FieldPanel("headline"),
        FieldPanel("publication"),
        FieldPanel("lede"),
        FieldPanel("body"),
        FieldRowPanel([FieldPanel("image"), FieldPanel("alt")]),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("source_name"), FieldPanel("source_url")]),
                FieldPanel("source_text"),
                FieldRowPanel(
                    [FieldPanel("author"), FieldPanel("published_on", heading=DATED), FieldPanel("language")]
                ),
                FieldPanel("topics"),
            ],
            heading="Where it comes from",
        ),
    ],
    base_form_class=ScopedForm,
)

PUBLICATION_PANELS = ObjectList(
    [
        FieldPanel("title"),
        FieldPanel("slug"),
        FieldPanel("tagline"),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("from_name"), FieldPanel("from_email")]),
                FieldPanel("reply_to"),
                FieldPanel("postal_address"),
                FieldPanel("website"),
            ],
            heading="Sender",
        ),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("language"), FieldPanel("direction")]),
                FieldPanel("theme"),
                FieldRowPanel([FieldPanel("logo"), FieldPanel("accent"), FieldPanel("radius")]),
                FieldRowPanel([FieldPanel("heading_font"), FieldPanel("text_font")]),
            ],
            heading="Language and look",
        ),
        WEEKLY_SLOT,
        MultiFieldPanel(
            [
                FieldPanel("minimum_stories"),
                FieldRowPanel([FieldPanel("frequency_cap"), FieldPanel("frequency_days")]),
                FieldPanel("second_approver"),
                FieldPanel("test_addresses"),
            ],
            heading="How it goes out",
        ),
        MultiFieldPanel(
            [
                FieldPanel("tracking"),
                FieldPanel("track_unknown"),
                FieldPanel("tracking_wording"),
                FieldRowPanel([FieldPanel("sunset_editions"), FieldPanel("sunset_weeks")]),
            ],
            heading="Opens and clicks",
        ),
    ],
    base_form_class=PublicationForm,
)
