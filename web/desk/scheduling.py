"""“Approve and schedule”: to whom and when, then exactly what would happen, and only then the send."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from wagtail.admin import messages

from composer import slots
from composer.approval import ApprovalBlockedError, ApprovalRefusedError
from composer.models import Edition, Publication
from composer.permissions import Right, may
from newsdesk.core.errors import InputError, RefusedError
from subscribers.models import List, Segment, Subscription
from tasks.approvals.approve_and_schedule import Expectation, Plan, Seen, approve_and_schedule, expect
from tasks.audience import local_time
from tasks.database import clock
from tasks.models import Recurrence
from web.accounts.recent_login import require_recent_login_for
from web.desk.headers import header
from web.desk.times import day_and_time, on_clock
from web.desk.visible import visible_edition

#: How the desk says why somebody is left out; other reasons are said as they are named.
REASONS = {
    "already_received": "had it already",
    "complaint": "complained of spam",
    "erased": "erased",
    "frequency_cap": "had enough mails lately",
    "hard_bounce": "address does not exist",
    "invalid": "address is not valid",
    "manual": "suppressed by hand",
    "no_stories": "no story is for them",
    "soft_bounce": "mail to them bounced again and again",
    "sunset": "neither opened nor clicked for long",
    "unconfirmed": "not confirmed",
    "unsubscribed": "unsubscribed",
    "warm_up": "left out while the sender's domain warms up",
}


class ScheduleForm(forms.Form):
    lists = forms.ModelMultipleChoiceField(
        List.objects.none(), error_messages={"required": "Choose at least one list."}
    )
    segment = forms.ModelChoiceField(
        Segment.objects.none(),
        required=False,
        empty_label="Everybody on these lists",
        label="Only those in the segment",
    )
    when = forms.ChoiceField(
        label="When", widget=forms.RadioSelect, error_messages={"required": "Choose when it goes out."}
    )
    time = forms.DateTimeField(
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": "Write the time as 2026-12-01 09:00."},
    )

    def __init__(self, edition: Edition, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.publication: Publication = edition.publication
        self.edition = edition
        fields: dict[str, Any] = self.fields
        fields["lists"].queryset = lists_of(self.publication)
        fields["segment"].queryset = Segment.objects.filter(publication=self.publication).order_by("name")
        choices = [("now", "Now"), ("at", "At a time"), ("local", "At the readers' local time")]
        if slots.cadence_of(self.publication) is not None:
            choices.append(("slot", "At the next slot"))
        fields["when"].choices = choices

    def clean_time(self) -> dt.datetime | None:
        """The clock time as it was typed, naive: Django has read it on the server's clock."""
        typed: dt.datetime | None = self.cleaned_data["time"]
        return typed.replace(tzinfo=None) if typed else None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("when") in ("at", "local") and "time" not in self.errors:
            problem = self._problem_of(cleaned.get("time"), everywhere=cleaned["when"] == "local")
            if problem:
                self.add_error("time", problem)
        return cleaned

    def _problem_of(self, time: dt.datetime | None, *, everywhere: bool) -> str:
        if time is None:
            return "Say the day and the time."
        zone = self.publication.zone
        if time.year not in local_time.YEARS:
            return "That year is too far away."
        if not everywhere and local_time.is_skipped(time, zone):
            return f"That time does not exist in {zone}: the clocks are put forward then."
        if local_time.moment(time, zone) <= clock.now():
            return f"That time has passed in {zone}."
        return ""

    def plan(self) -> Plan:
        cleaned = self.cleaned_data
        when, time = cleaned["when"], cleaned["time"]
        return Plan(
            lists=list(cleaned["lists"]),
            segment=cleaned["segment"],
            at=local_time.moment(time, self.publication.zone) if when == "at" else None,
            local_at=time if when == "local" else None,
            at_slot=when == "slot",
        )


def lists_of(publication: Publication) -> Any:
    """The publication's lists, each with the number of readers who are active on it."""
    active = Count("subscriptions", filter=Q(subscriptions__status="active"))
    return List.objects.filter(publication=publication).annotate(active=active).order_by("name")


def schedule(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks to whom and when. POST says what would happen; with `confirmed`, it is done."""
    user: Any = request.user
    edition = visible_edition(user, pk)
    if not may(user, Right.SEND, edition.publication_id):
        raise PermissionDenied
    if request.method != "POST":
        return _form_page(request, edition, ScheduleForm(edition, initial=_usual(edition)))
    form = ScheduleForm(edition, request.POST)
    if not form.is_valid() or "change" in request.POST:
        return _form_page(request, edition, form)
    try:
        plan = form.plan()
        if "confirmed" not in request.POST:
            expected = expect(edition, plan, by=user)
            seen = replace(Seen.of(edition), content=expected.content_hash)
            return _confirm_page(request, edition, form, expected, seen)
        require_recent_login_for(request, active_readers(plan.lists))
        approve_and_schedule(edition, plan, by=user, seen=_seen(request))
    except ApprovalBlockedError as blocked:
        problems = [f"{capfirst(one.where)}: {one.message}" if one.where else one.message for one in blocked.problems]
        form.add_error(None, ["The checks found what must be mended first.", *problems])
    except (ApprovalRefusedError, RefusedError, InputError) as refused:
        form.add_error(None, capfirst(str(refused)))
    else:
        messages.success(request, f"No. {edition.number} is approved and scheduled.")
        return redirect(edit_url(edition))
    return _form_page(request, edition, form)


def active_readers(lists: Iterable[List]) -> int:
    """Active readers of the lists; whoever is on two of them counts twice."""
    return Subscription.objects.filter(list__in=lists, status="active").count()


def edit_url(edition: Edition) -> str:
    return reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk])


def spoken(moment: dt.datetime, edition: Edition) -> str:
    """The moment on the publication's clock, with the clock's name."""
    return on_clock(moment, edition.publication.zone)


def _usual(edition: Edition) -> dict[str, Any]:
    """What the weekly slot says, or the only list there is."""
    recurrence = Recurrence.objects.filter(publication=edition.publication, active=True).first()
    lists = list(recurrence.lists.all()) if recurrence else list(lists_of(edition.publication)[:2])
    initial: dict[str, Any] = {"lists": lists if recurrence or len(lists) == 1 else []}
    if recurrence:
        initial |= {"segment": recurrence.segment_id, "when": "slot"}
    return initial


def _seen(request: HttpRequest) -> Seen:
    def number(name: str) -> int | None:
        text = request.POST.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None

    return Seen(revision=number("revision"), send=number("send"), content=request.POST.get("content", ""))


def _form_page(request: HttpRequest, edition: Edition, form: ScheduleForm) -> HttpResponse:
    slot = _next_slot(edition)
    context = {
        "form": form,
        "chosen": {str(value) for value in _chosen(form)},
        "lists": lists_of(edition.publication),
        "when": str(form["when"].value() or ""),
        "slot": spoken(slot, edition) if slot else "",
    }
    status = 422 if form.is_bound and form.errors else 200
    return _page(request, edition, "web/desk/schedule.html", context, status=status)


def _chosen(form: ScheduleForm) -> list[Any]:
    value: Any = form["lists"].value() or []
    return [getattr(one, "pk", one) for one in value]


def _next_slot(edition: Edition) -> dt.datetime | None:
    now = clock.now()
    return edition.slot if edition.slot and edition.slot > now else slots.next_free_slot(edition.publication, now)


def _confirm_page(
    request: HttpRequest, edition: Edition, form: ScheduleForm, expected: Expectation, seen: Seen
) -> HttpResponse:
    context = {
        "form": form,
        "expected": expected,
        "seen": seen,
        "sentence": sentence(edition, form.plan(), expected),
        "lists": form.cleaned_data["lists"],
        "excluded": [(REASONS.get(reason, reason), count) for reason, count in sorted(expected.excluded.items())],
    }
    return _page(request, edition, "web/desk/schedule_confirm.html", context)


def sentence(edition: Edition, plan: Plan, expected: Expectation) -> str:
    """What will happen, in one sentence: how many, of what, when, on which clock."""
    readers = f"{expected.readers:,} reader{'' if expected.readers == 1 else 's'}"
    where = " and ".join(one.name for one in plan.lists)
    segment = f", only those in {plan.segment.name}," if plan.segment else ""
    if plan.local_at:
        when = f"on {day_and_time(plan.local_at)} on each reader's own clock, from {spoken(expected.scheduled_at, edition)} on"
    elif plan.at or plan.at_slot:
        when = f"on {spoken(expected.scheduled_at, edition)}"
    else:
        when = "now"
    variants = f", in {expected.variants} variants" if expected.variants > 1 else ""
    return f"{readers} of {edition.publication} on {where}{segment} get “{edition}” {when}{variants}."


def _page(
    request: HttpRequest, edition: Edition, template: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    title = "Approve and schedule" if edition.approval is None else "Schedule"
    shared = {
        "edition": edition,
        "zone": str(edition.publication.zone),
        **header(
            title,
            "mail",
            ("Editions", reverse("wagtailsnippets_composer_edition:list")),
            (str(edition), edit_url(edition)),
        ),
    }
    return TemplateResponse(request, template, {**shared, **context}, status=status)
