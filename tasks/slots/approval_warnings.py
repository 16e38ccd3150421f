"""Who is warned, two hours before a slot, that its edition is not approved, or that nothing is scheduled for it."""

from datetime import datetime, timedelta

from django.db.models import F
from django.db.models.functions import Now

from composer.models import Edition, Publication
from tasks.alarms.raising import raise_alarm
from tasks.models import Alarm, Recurrence, Send, Slot
from tasks.sends.scheduling import first_moment
from tasks.slots.active_recurrence import is_taken_back
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


def warn_unscheduled(publication: Publication, recurrence: Recurrence | None, now: datetime) -> None:
    """Two hours before the first reader would get it, tell the editors once of an edition that its slot will not send.

    Somebody had sent it by hand, which took the slot's place, and cancelled that, and perhaps reopened it; or it was approved anew after a send that was cancelled
    when some of it was out. Who cancels the slot's own send means it. Raises the database's errors.
    """
    if recurrence is None:
        return
    rows = Slot.objects.filter(publication=publication, warned_at=None, at__gt=now, at__lte=now + NOTICE + CLOCKS_APART)
    for slot in rows.filter(edition__slot=F("at")).select_related("edition", "send"):
        edition = slot.edition
        assert edition is not None
        if _is_left_out(slot, edition) and first_reader_at(edition, recurrence, now) - now <= NOTICE:
            Slot.objects.filter(pk=slot.pk).update(warned_at=Now())
            raise_alarm(
                Alarm.Code.SLOT_UNAPPROVED,
                _left_out(slot, edition),
                publication_id=publication.pk,
                edition_id=edition.pk,
                mail=True,
            )


def _left_out(slot: Slot, edition: Edition) -> str:
    its_slot = f"its slot is {slot_time(edition, slot.at)}"
    if edition.approval is None:
        return f"{edition} is not approved, and {its_slot}; the send that had its place was cancelled. Approve it."
    what = ", or reopen and approve it anew" if is_taken_back(edition) else " to those who do not have it"
    return f"{edition} is approved, and {its_slot}, but its send was cancelled and nothing else is scheduled. Send it{what}."


def _is_left_out(slot: Slot, edition: Edition) -> bool:
    approval = edition.approval
    sends = Send.objects.filter(edition=edition)
    if not sends.exists() or sends.exclude(status=Send.Status.CANCELLED).exists():
        return False
    if slot.send is None:
        return slot.outcome == Slot.Outcome.SKIPPED
    over = slot.send.finished_at
    return approval is not None and over is not None and approval.approved_at > over
