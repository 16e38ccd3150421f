"""The send of a slot: scheduled when its edition is approved, and rescheduled when that gets another slot."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db.models.functions import Now

from composer.models import Edition
from tasks.database import clock
from tasks.models import Recurrence, Send, Slot
from tasks.sends.scheduling import first_moment, schedule
from tasks.slots.active_recurrence import is_sent_by_hand, late_limit
from tasks.slots.missed_slots import miss_approved_too_late
from tasks.slots.slot_rows import locked_or_new_row, state_outcome

log = structlog.get_logger(__name__)


def local_slot_time(edition: Edition) -> datetime:
    """The edition's slot as the publication's clock shows it, naive: the time that a local-time send has everywhere."""
    assert edition.slot is not None
    return edition.slot.astimezone(edition.publication.zone).replace(tzinfo=None)


def schedule_for_slot(edition: Edition, recurrence: Recurrence, now: datetime) -> None:
    """Schedule the approved edition, its row locked, to the recurrence's readers; too late, its slot is missed.

    Nothing is scheduled when the slot has a send or an outcome, or a person has sent the edition to these readers.
    """
    assert edition.slot is not None
    slot = locked_or_new_row(edition)
    if slot.outcome or slot.send_id:
        return
    if is_sent_by_hand(edition, recurrence):
        state_outcome(slot, Slot.Outcome.SKIPPED)
        return
    late = now - edition.slot
    if late > late_limit(recurrence):
        miss_approved_too_late(slot, edition, late)
        return

    def record_send(send: Send) -> None:
        slot.edition, slot.send = edition, send
        slot.save(update_fields=["edition", "send"])
        if late > timedelta(0):
            state_outcome(slot, Slot.Outcome.LATE)

    when: dict[str, Any] = {"at": edition.slot}
    if recurrence.local_time:
        when = {"local_at": local_slot_time(edition)}
    lists = list(recurrence.lists.all())
    send = schedule(edition, lists=lists, segment=recurrence.segment, after=record_send, **when)
    log.info("slot_scheduled", publication=edition.publication_id, edition=edition.pk, send=send.pk)


def give_slot_to_send(send: Send, edition: Edition) -> bool:
    """Make it the send of its edition's slot; the slot it had is skipped. False when another send has the slot.

    In the caller's transaction, edition and send locked.
    """
    slot = locked_or_new_row(edition)
    if slot.send_id not in {None, send.pk}:
        return False
    before = Slot.objects.filter(send=send).exclude(pk=slot.pk)
    before.filter(outcome="").update(outcome=Slot.Outcome.SKIPPED, decided_at=Now())
    before.update(send=None)
    slot.edition, slot.send, slot.outcome, slot.decided_at = edition, send, Slot.Outcome.OPEN, None
    slot.save(update_fields=["edition", "send", "outcome", "decided_at"])
    return True


def set_due_time(send: Send, edition: Edition, slot: datetime) -> None:
    """Set, without saving, when the send is due: at the slot or, of a local-time send, at that time on each reader's clock."""
    send.scheduled_at = slot
    if send.local_at:
        local = local_slot_time(edition)
        send.local_at = local.isoformat()
        send.scheduled_at = max(first_moment(edition, list(send.lists.all()), local), clock.now())
