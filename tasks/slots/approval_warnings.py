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
_CLOCKS_APART = timedelta(hours=26)


def warn_unapproved(edition: Edition, recurrence: Recurrence | None, now: datetime) -> None:
    """Two hours before the first reader would get it, tell the editors once that nobody has approved it."""
    assert edition.slot is not None
    begins = edition.slot
    if recurrence is not None and recurrence.local_time and begins - now <= NOTICE + _CLOCKS_APART:
        begins = min(begins, first_moment(edition, list(recurrence.lists.all()), local_slot_time(edition)))
    if begins - now > NOTICE:
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
