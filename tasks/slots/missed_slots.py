"""What happens when a slot was missed: its send is held or its draft moves on, and the editors are alarmed."""

from datetime import datetime, timedelta

from django.db.models.functions import Now

from composer.models import Edition
from tasks.alarms.raising import raise_alarm
from tasks.models import Alarm, Recurrence, Send, Slot
from tasks.sends import heartbeat_pings
from tasks.sends.audit_trail import record_action
from tasks.slots.active_recurrence import active_recurrence, is_sent_by_hand, late_limit
from tasks.slots.rescheduling import move_to_next_slot
from tasks.slots.slot_rows import locked_or_new_row, state_outcome
from tasks.slots.strings import duration, slot_time

#: A send that was prepared by so much after its time was on time.
ON_TIME = timedelta(minutes=5)


def grace(slot: Slot) -> timedelta:
    """How late the send of this slot may be prepared."""
    recurrence = Recurrence.objects.filter(publication=slot.publication_id).first()
    return max(late_limit(recurrence), ON_TIME)


def hold(send: Send, slot: Slot, late: timedelta) -> None:
    """Hold the send, its row locked, that is late by more than `grace`: its slot was missed."""
    why = missed_for(late)
    Send.objects.filter(pk=send.pk).update(status=Send.Status.PAUSED, held_at=Now(), pause_reason=why)
    record_action(send.pk, "held", why=why)
    if state_outcome(slot, Slot.Outcome.MISSED):
        _raise_missed(send.edition, send.scheduled_at, why, send_id=send.pk)


def miss_with_held_send(slot: Slot, send: Send, edition: Edition, now: datetime) -> None:
    """State that the slot was missed when its send is still held and too late: nobody approved its edition again.

    Whoever approves it later is asked what shall become of the send.
    """
    if send.held_at is None or now - slot.at <= late_limit(active_recurrence(slot.publication_id)):
        return
    if state_outcome(slot, Slot.Outcome.MISSED):
        _raise_missed(edition, slot.at, f"Send {send.pk} is held: approve the edition again.", send_id=send.pk)


def miss_approved_too_late(slot: Slot, edition: Edition, late: timedelta) -> None:
    """State that the slot was missed because its edition was approved by `late` after it."""
    state_outcome(slot, Slot.Outcome.MISSED)
    _raise_missed(edition, slot.at, approved_too_late(late))


def miss_unapproved(edition: Edition, recurrence: Recurrence | None, now: datetime) -> None:
    """Nobody approved it in time: the slot is given up, and a draft that was never sent moves to the next one."""
    assert edition.slot is not None
    if now - edition.slot <= late_limit(recurrence):
        return
    missed = edition.slot
    slot = locked_or_new_row(edition)
    expected = recurrence is not None and missed > recurrence.created_at and not is_sent_by_hand(edition, recurrence)
    if not state_outcome(slot, Slot.Outcome.MISSED if expected else Slot.Outcome.SKIPPED):
        return
    moved_to = None if edition.sends.exists() else move_to_next_slot(edition, now)
    if expected:
        where = f"it is now for {slot_time(edition, moved_to)}." if moved_to else "give it another slot."
        _raise_missed(edition, missed, f"Nobody had approved it; {where}")


def missed_for(late: timedelta) -> str:
    """Why a send is held whose slot is over, and what can be done."""
    return f"Its slot was missed by {duration(late)}: it can go out now, or with the next slot."


def approved_too_late(late: timedelta) -> str:
    """What an approval after the slot means, and what can be done."""
    return f"It was approved {duration(late)} too late: schedule it, or reopen it and give it another slot."


def _raise_missed(edition: Edition, slot: datetime, why: str, *, send_id: int | None = None) -> None:
    raise_alarm(
        Alarm.Code.SLOT_MISSED,
        f"{edition} missed its slot {slot_time(edition, slot)}. {why}",
        send_id=send_id,
        publication_id=edition.publication_id,
        edition_id=edition.pk,
        mail=True,
    )
    heartbeat_pings.missed()
