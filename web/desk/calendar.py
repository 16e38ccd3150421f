"""The calendar: slots, sends and holidays of all publications, a month at a time, each on its publication's clock."""

import calendar
import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from django.views.decorators.http import require_POST
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem

from composer import slots
from composer.models import Edition, Holiday, Publication
from composer.models.publication import one_line
from composer.permissions import Right, may, may_anywhere, publications, within
from tasks.database import clock
from tasks.models import Send
from tasks.slots import holidays
from web.desk.headers import header
from web.desk.scheduling import edit_url
from web.desk.status import status_of, with_status

YEARS = range(2000, 9000)
#: A day begins at most so long before or after it does by UTC.
_CLOCKS = dt.timedelta(hours=26)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of a day; `what` is said, `status` also drawn."""

    time: str
    what: str
    status: str = ""
    url: str = ""
    publication: str = ""


@dataclass(kw_only=True)
class Day:
    date: dt.date
    in_month: bool
    is_today: bool
    entries: list[Entry] = field(default_factory=list)
    holidays: list[Holiday] = field(default_factory=list)


class HolidayForm(forms.Form):
    publication = forms.ModelChoiceField(Publication.objects.none())
    day = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))
    name = forms.CharField(label="What for", max_length=120, required=False, validators=[one_line])

    def offer(self, offered: "QuerySet[Publication]") -> None:
        """Have the person choose among these; the only one is chosen already."""
        field: Any = self.fields["publication"]
        field.queryset = offered.order_by("title")
        first = list(offered[:2])
        if len(first) == 1:
            field.initial = first[0].pk

    def clean_day(self) -> dt.date:
        day: dt.date = self.cleaned_data["day"]
        if day.year not in YEARS:
            raise ValidationError("Nothing is sent in that year.")
        return day


def may_look(user: Any) -> bool:
    return may_anywhere(user, Right.SEE)


def may_change(user: Any) -> bool:
    return may_anywhere(user, Right.PUBLICATION)


def month(request: HttpRequest) -> HttpResponse:
    """GET shows a month; POST adds a holiday."""
    user: Any = request.user
    if not may_look(user):
        raise PermissionDenied
    form = HolidayForm(request.POST if request.method == "POST" else None)
    form.offer(publications(user, Right.PUBLICATION))
    if request.method == "POST":
        if not may_change(user):
            raise PermissionDenied
        if form.is_valid() and _add(request, form):
            return redirect(f"{reverse('desk_calendar')}?month={form.cleaned_data['day']:%Y-%m}")
    first = _asked(request.GET.get("month", "")) or clock.now().date().replace(day=1)
    context = {
        "days": days(first, user),
        "weekdays": list(calendar.day_name),
        "month": first,
        "previous": _other(first, -1),
        "next": _other(first, 1),
        "form": form,
        "may_change": may_change(user),
        **header("Calendar", "date"),
    }
    return TemplateResponse(request, "web/desk/calendar.html", context, status=422 if form.errors else 200)


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Come out on this day after all."""
    holiday = get_object_or_404(within(Holiday.objects.select_related("publication"), request.user, Right.SEE), pk=pk)
    if not may(request.user, Right.PUBLICATION, holiday.publication_id):
        raise PermissionDenied
    holidays.remove_holiday(holiday.publication, holiday.day)
    messages.success(request, f"{holiday.publication} has its slot on {holiday.day:%-d %B %Y} again.")
    return redirect(f"{reverse('desk_calendar')}?month={holiday.day:%Y-%m}")


def days(first: dt.date, user: Any) -> list[Day]:
    """The whole weeks of the month that `first` begins, as the user may see them, in six queries and one for each publication's holidays."""
    dates = list(calendar.Calendar().itermonthdates(first.year, first.month))
    today = clock.now().date()
    found = {date: Day(date=date, in_month=date.month == first.month, is_today=date == today) for date in dates}
    begins = dt.datetime.combine(dates[0], dt.time(), tzinfo=dt.UTC) - _CLOCKS
    ends = dt.datetime.combine(dates[-1], dt.time(), tzinfo=dt.UTC) + dt.timedelta(days=1) + _CLOCKS
    seen = list(publications(user, Right.SEE).order_by("title", "pk"))
    for moment, zone, entry in sorted(
        [*_sends(seen, begins, ends), *_slots(seen, begins, ends)], key=lambda one: one[0]
    ):
        date = moment.astimezone(zone).date()
        if date in found:
            found[date].entries.append(entry)
    left_out = Holiday.objects.filter(day__range=(dates[0], dates[-1]), publication__in=seen)
    for holiday in left_out.select_related("publication"):
        found[holiday.day].holidays.append(holiday)
    return list(found.values())


def _sends(seen: list[Publication], begins: dt.datetime, ends: dt.datetime) -> list[tuple[dt.datetime, Any, Entry]]:
    """Sends by the time at which they began, or are due."""
    going = Send.objects.exclude(status=Send.Status.CANCELLED).filter(edition__publication__in=seen)
    sends = going.select_related("edition__publication")
    entries = []
    for send in sends.filter(scheduled_at__range=(begins, ends)):
        zone = send.edition.publication.zone
        moment = send.prepared_at or send.scheduled_at
        everywhere = " and each reader’s own clock" if send.local_at else ""
        entry = Entry(
            time=f"{moment.astimezone(zone):%H:%M} {zone}{everywhere}",
            what=f"No. {send.edition.number} {send.edition.title}",
            status=send.status,
            url=edit_url(send.edition),
            publication=str(send.edition.publication),
        )
        entries.append((moment, zone, entry))
    return entries


def _slots(seen: list[Publication], begins: dt.datetime, ends: dt.datetime) -> list[tuple[dt.datetime, Any, Entry]]:
    """Slots with an edition that no send is for, and those ahead that have none."""
    editions_seen = Edition.objects.filter(slot__range=(begins, ends), publication__in=seen)
    slotted = with_status(editions_seen).select_related("publication")
    by_publication: dict[int, dict[dt.datetime, Edition]] = defaultdict(dict)
    for edition in slotted:
        assert edition.slot is not None
        by_publication[edition.publication_id][edition.slot] = edition
    entries = []
    for publication in seen:
        zone, editions = publication.zone, by_publication[publication.pk]
        cadence = slots.cadence_of(publication)
        upcoming = slots.upcoming(cadence, max(begins, clock.now())) if cadence else iter(())
        for at in {*editions, *takewhile(lambda moment: moment <= ends, upcoming)}:
            held = editions.get(at)
            if held is not None and held.last_send:
                continue
            entry = Entry(
                time=f"{at.astimezone(zone):%H:%M} {zone}",
                what=f"No. {held.number} {held.title}" if held else "Slot without an edition yet",
                status=status_of(held) if held else "",
                url=edit_url(held) if held else "",
                publication=str(publication),
            )
            entries.append((at, zone, entry))
    return entries


def _add(request: HttpRequest, form: Any) -> bool:
    cleaned = form.cleaned_data
    try:
        holidays.add_holiday(cleaned["publication"], cleaned["day"], cleaned["name"])
    except holidays.HolidayError as refused:
        form.add_error("day", f"{capfirst(str(refused))}.")
        return False
    messages.success(request, f"{cleaned['publication']} leaves out {cleaned['day']:%-d %B %Y}.")
    return True


def _asked(text: str) -> dt.date | None:
    """The first of the month, of “2026-12”; None for anything else."""
    try:
        asked = dt.date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    return asked if asked.year in YEARS else None


def _other(first: dt.date, step: int) -> dt.date | None:
    other = (first.replace(day=15) + step * dt.timedelta(days=30)).replace(day=1)
    return other if other.year in YEARS else None


class _CalendarItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return may_look(request.user)


@hooks.register("register_admin_menu_item")
def our_menu_item() -> MenuItem:
    return _CalendarItem("Calendar", reverse("desk_calendar"), name="calendar", icon_name="date", order=12)


@hooks.register("register_admin_urls")
def our_urls() -> list[URLPattern]:
    return [
        path("calendar/", month, name="desk_calendar"),
        path("calendar/holidays/<int:pk>/remove/", remove, name="desk_remove_holiday"),
    ]
