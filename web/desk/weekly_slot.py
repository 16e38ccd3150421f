"""The weekly slot on the publication's form: to whom it goes by itself, and what becomes of one that is missed."""

from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, FieldRowPanel, HelpPanel, MultiFieldPanel

from composer.models import Publication
from composer.models.publication import TRACKING_WORDING
from composer.permissions import Right, may, publications
from composer.slots import cadence_of, upcoming
from subscribers.models import List, Segment
from tasks.database import clock
from tasks.models import Recurrence
from tasks.slots import recurrence as slots
from tasks.slots.active_recurrence import DEFAULT_LATE_LIMIT
from web.desk.times import on_clock

#: The most that a slot may be late: then the next one is due.
A_WEEK = timedelta(weeks=1)
NEXT_SHOWN = 3
SLOT_FIELDS = ("slot_lists", "slot_segment", "slot_local_time", "slot_late_minutes")


class PublicationForm(WagtailAdminModelForm):
    slot_lists = forms.ModelMultipleChoiceField(
        List.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Goes by itself to",
        help_text="Readers of these lists get every edition that is approved in time. Without a list nothing goes by itself.",
    )
    slot_segment = forms.ModelChoiceField(
        Segment.objects.none(),
        required=False,
        empty_label="Everybody on these lists",
        label="Only those in the segment",
    )
    slot_local_time = forms.BooleanField(
        required=False,
        label="At each reader’s local time",
        help_text="The slot’s time is the time where each reader is.",
    )
    slot_late_minutes = forms.IntegerField(
        label="Minutes a missed slot may be late",
        min_value=0,
        max_value=A_WEEK // timedelta(minutes=1),
        required=False,
        help_text="An edition approved after its slot still goes out within so many minutes, 0: never. Later than that, the "
        "slot is missed: a draft moves to the next one, and the editors are told.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        publication: Publication = self.instance
        now = active(publication)
        fields: dict[str, Any] = self.fields
        fields["slot_lists"].queryset = List.objects.filter(publication=publication.pk).order_by("name")
        fields["slot_segment"].queryset = Segment.objects.filter(publication=publication.pk).order_by("name")
        fields["slot_lists"].initial = list(now.lists.values_list("pk", flat=True)) if now else []
        fields["slot_segment"].initial = now.segment_id if now else None
        fields["slot_local_time"].initial = bool(now and now.local_time)
        if "tracking_wording" in fields:
            fields["tracking_wording"].required = False
        usual = DEFAULT_LATE_LIMIT // timedelta(minutes=1)
        fields["slot_late_minutes"].initial = now.late_minutes if now else usual

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if "tracking_wording" in self.fields and not cleaned.get("tracking_wording", "-"):
            # Whoever wipes the words takes the usual ones.
            cleaned["tracking_wording"] = self.instance.tracking_wording = TRACKING_WORDING
        if "slot_lists" not in self.fields:
            return cleaned
        lists = cleaned.get("slot_lists")
        if lists:
            for name, missing in (("cadence_weekday", "day"), ("cadence_time", "time")):
                if cleaned.get(name) is None and name not in self.errors:
                    self.add_error(name, f"Give the weekly slot a {missing}, or let it go to no list.")
        elif (cleaned.get("slot_segment") or cleaned.get("slot_local_time")) and "slot_lists" not in self.errors:
            self.add_error("slot_lists", "Choose at least one list.")
        if cleaned.get("slot_late_minutes") is None and "slot_late_minutes" not in self.errors:
            cleaned["slot_late_minutes"] = self.fields["slot_late_minutes"].initial
        return cleaned

    def save(self, commit: bool = True) -> Publication:
        publication: Publication = super().save(commit=commit)
        if commit and set(SLOT_FIELDS) & set(self.changed_data):
            self._save_slot(publication)
        return publication

    def _save_slot(self, publication: Publication) -> None:
        cleaned = self.cleaned_data
        if not cleaned["slot_lists"]:
            slots.stop_recurring(publication)
            return
        slots.recur(
            publication,
            lists=list(cleaned["slot_lists"]),
            segment=cleaned["slot_segment"],
            local_time=cleaned["slot_local_time"],
            late_minutes=cleaned["slot_late_minutes"],
            by=self.for_user,
        )


class SlotPanel(HelpPanel):
    """What the weekly slot does as it is saved: the next slots, the holidays, and the button that stops it."""

    class BoundPanel(HelpPanel.BoundPanel):
        def is_shown(self) -> bool:
            return bool(super().is_shown() and self.instance.pk)

        def get_context_data(self, parent_context: dict[str, Any] | None = None) -> dict[str, Any]:
            publication: Publication = self.instance
            now = clock.now()
            return {
                **super().get_context_data(parent_context),
                "runs": active(publication) is not None,
                "slots": next_slots(publication, now),
                "holidays": publication.holidays.filter(day__gte=now.astimezone(publication.zone).date()),
                "stop_url": reverse("desk_stop_weekly_slot", args=[publication.pk]),
            }


class SlotFieldsPanel(MultiFieldPanel):
    """Only of a publication that is saved: before, it has no list."""

    class BoundPanel(MultiFieldPanel.BoundPanel):
        def is_shown(self) -> bool:
            return bool(super().is_shown() and self.instance.pk)


WEEKLY_SLOT = MultiFieldPanel(
    [
        FieldRowPanel([FieldPanel("cadence_weekday"), FieldPanel("cadence_time"), FieldPanel("timezone")]),
        SlotFieldsPanel([FieldPanel(name) for name in SLOT_FIELDS]),
        SlotPanel(template="web/desk/weekly_slot.html"),
    ],
    heading="Weekly slot",
)


def active(publication: Publication) -> Recurrence | None:
    """What runs by itself; None for a publication that is not saved or whose slot was stopped."""
    return Recurrence.objects.filter(publication=publication.pk, active=True).first() if publication.pk else None


def next_slots(publication: Publication, now: datetime) -> list[str]:
    cadence = cadence_of(publication)
    return [on_clock(at, publication.zone) for at in islice(upcoming(cadence, now), NEXT_SHOWN)] if cadence else []


@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Nothing goes out by itself any more; sends that are scheduled stay."""
    user: Any = request.user
    publication = get_object_or_404(publications(user, Right.SEE), pk=pk)
    if not may(user, Right.PUBLICATION, publication):
        raise PermissionDenied
    if slots.stop_recurring(publication):
        messages.success(
            request, format_html("The weekly slot of {} is stopped. Sends that are scheduled stay so.", publication)
        )
    else:
        messages.warning(request, "It is stopped already.")
    return redirect(reverse("publication:edit", args=[pk]))


@hooks.register("register_admin_urls")
def our_urls() -> list[URLPattern]:
    return [path("publications/<int:pk>/stop-weekly-slot/", stop, name="desk_stop_weekly_slot")]
