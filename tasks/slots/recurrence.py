"""Saying whom the weekly slot goes to."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from composer import slots
from composer.models import Publication
from newsdesk.core.errors import InputError
from subscribers.models import List, Segment
from tasks.models import Recurrence
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

    `late_minutes`: how late a slot may go out. Slots that were over before it began are left alone. Raises
    NoWeeklySlotError, also where no list is named.
    """
    if slots.cadence_of(publication) is None:
        raise NoWeeklySlotError(f"{publication.slug} has no weekly slot: give it a day and a time at the desk first")
    if not lists:
        raise NoWeeklySlotError("name at least one list")
    with transaction.atomic():
        fields = {"segment": segment, "local_time": local_time, "late_minutes": late_minutes, "created_by": by}
        recurrence, is_new = Recurrence.objects.get_or_create(publication=publication, defaults=fields)
        recurrence = Recurrence.objects.select_for_update(of=("self",)).get(pk=recurrence.pk)
        for name, value in fields.items():
            setattr(recurrence, name, value)
        if not is_new and not recurrence.active:
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
