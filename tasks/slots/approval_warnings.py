"""Who is warned, two hours before a slot, that its edition is not approved."""

from datetime import datetime, timedelta

from django.db.models.functions import Now

from composer.models import Edition
from tasks.alarms.raising import raise_alarm
from tasks.models import Alarm, Recurrence, Slot
from tasks.sends.scheduling import first_moment
from tasks.slots.slot_rows import locked_or_new_row
from tasks.slots.slot_sends import local_slot_time
from tasks.slots.strings import slot_time

#: How long before its slot an edition should be approved.
NOTICE = timedelta(hours=2)
#: The earliest and the latest clock are 26 hours apart.
CLOCKS_APART = timedelta(hours=26)


def first_reader_at(edition: Edition, recurrence: Recurrence | None, now: datetime) -> datetime:
    """When the slot's first reader would get the edition: the slot, or with local time up to a day before it.

    Of a slot that is further away than NOTICE by all clocks, the slot itself. The edition must have a slot.
    """
    assert edition.slot is not None
    if recurrence is None or not recurrence.local_time or edition.slot - now > NOTICE + CLOCKS_APART:
        return edition.slot
    return min(edition.slot, first_moment(edition, list(recurrence.lists.all()), local_slot_time(edition)))


def warn_unapproved(edition: Edition, recurrence: Recurrence | None, now: datetime) -> None:
    """Two hours before the first reader would get it, tell the editors once that nobody has approved it."""
    assert edition.slot is not None
    if first_reader_at(edition, recurrence, now) - now > NOTICE:
        return
    slot = locked_or_new_row(edition)
    if slot.warned_at is not None:
        return
    Slot.objects.filter(pk=slot.pk).update(warned_at=Now())
    raise_alarm(
        Alarm.Code.SLOT_UNAPPROVED,
        f"{edition} is not approved, and its slot is {slot_time(edition, edition.slot)}.",
        publication_id=edition.publication_id,
        edition_id=edition.pk,
        mail=True,
    )
