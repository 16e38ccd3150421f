"""Saying whom the weekly slot goes to, and on which days it is left out."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from composer import slots, succession
from composer.models import Edition, Holiday, Publication
from newsdesk.core.errors import InputError
from subscribers.models import List, Segment
from tasks.database import clock
from tasks.models import Recurrence, Slot
from tasks.slots.upkeep import keep


class NoWeeklySlotError(InputError):
    """It cannot be done for this publication; the message says what to do."""


def recur(
    publication: Publication,
    *,
    lists: Sequence[List],
    segment: Segment | None = None,
    local_time: bool = False,
    late_minutes: int = 720,
    by: Any = None,
) -> Recurrence:
    """From now on every slot goes to whoever is on any of the lists and, if given, in the segment.

    Slots that were over before it began are left alone. Raises NoWeeklySlot.
    """
    if slots.cadence_of(publication) is None:
        raise NoWeeklySlotError(f"{publication.slug} has no weekly slot: give it a day and a time at the desk first")
    if not lists:
        raise NoWeeklySlotError("name at least one list")
    with transaction.atomic():
        fields = {"segment": segment, "local_time": local_time, "late_minutes": late_minutes, "created_by": by}
        recurrence, made = Recurrence.objects.get_or_create(publication=publication, defaults=fields)
        recurrence = Recurrence.objects.select_for_update(of=("self",)).get(pk=recurrence.pk)
        for name, value in fields.items():
            setattr(recurrence, name, value)
        if not made and not recurrence.active:
            recurrence.created_at = Now()
        recurrence.active = True
        recurrence.save()
        recurrence.lists.set(lists)
        recurrence.refresh_from_db()
    keep(publication)
    return recurrence


def stop_recurring(publication: Publication) -> bool:
    """No slot is scheduled from now on; sends that are scheduled stay so. False when none was."""
    return bool(Recurrence.objects.filter(publication=publication, active=True).update(active=False))


def add_holiday(publication: Publication, day: dt.date, name: str = "") -> Holiday:
    """Leave out the slot on this day. A draft that has it moves to the next slot.

    Raises NoWeeklySlot while an approved edition has it: somebody has to decide what becomes of that one.
    """
    with transaction.atomic():
        # What was planned for the day, by the publication's clock.
        begins = dt.datetime.combine(day, dt.time(), tzinfo=publication.zone)
        ends = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=publication.zone)
        now = clock.now()
        planned = Edition.objects.filter(publication=publication, slot__gte=max(begins, now), slot__lt=ends)
        editions = list(planned.select_for_update(no_key=True, of=("self",)).order_by("pk"))
        approved = [edition for edition in editions if edition.approval is not None]
        if approved:
            raise NoWeeklySlotError(f"{approved[0]} is approved for that day: reopen it first, or let it go out")
        holiday, _ = Holiday.objects.update_or_create(publication=publication, day=day, defaults={"name": name})
        for edition in editions:
            _leave(edition, now)
    keep(publication)
    return holiday


def remove_holiday(publication: Publication, day: dt.date) -> bool:
    """Come out on this day after all; False when it was no holiday."""
    removed, _ = Holiday.objects.filter(publication=publication, day=day).delete()
    if removed:
        keep(publication)
    return bool(removed)


def _leave(edition: Edition, now: dt.datetime) -> None:
    skipped = edition.slot
    assert skipped is not None
    further = slots.next_free_slot(edition.publication, now)
    if further is not None and not edition.sends.exists() and succession.move_to_slot(edition, further):
        # What was said about the old slot holds no longer.
        Slot.objects.filter(publication=edition.publication_id, at=skipped, send=None).delete()
