"""What becomes of one edition's slot. A row per publication and moment says so, once, under a lock.

Locks are taken in this order: the edition, an existing send, the slot's row. Whoever approves locks the edition as well, so
that a slot is decided before or after an approval, never in the middle of it.
"""

from datetime import datetime

from django.db import transaction

from composer.models import Edition
from tasks.database import clock
from tasks.models import Send, Slot
from tasks.slots.active_recurrence import active_recurrence, is_taken_back
from tasks.slots.approval_warnings import warn_unapproved
from tasks.slots.missed_slots import ON_TIME, miss_unapproved, miss_with_held_send
from tasks.slots.slot_rows import locked_row, state_outcome
from tasks.slots.slot_sends import schedule_for_slot


@transaction.atomic
def decide(edition_id: int, *, now: datetime | None = None) -> None:
    """Do what is due for the slot of this edition: schedule, warn, or state that it was missed. May be repeated freely."""
    now = now or clock.now()
    edition = Edition.objects.select_for_update(no_key=True, of=("self",)).get(pk=edition_id)
    if edition.slot is None or not edition.publication.has_known_zone:
        return
    is_over = edition.slot <= now
    slot = locked_row(edition)
    if slot is not None and not is_over and _is_of_another_edition(slot, edition):
        _reset(slot, edition)
    if slot is not None and slot.outcome:
        return
    recurrence = active_recurrence(edition.publication_id)
    if edition.approval is None and not is_over:
        warn_unapproved(edition, recurrence, now)
    elif slot is not None and slot.send is not None:
        if is_over:
            _conclude(slot, slot.send, edition, now)
    elif edition.approval is None:
        miss_unapproved(edition, recurrence, now)
    elif recurrence is not None and edition.slot > recurrence.created_at:
        schedule_for_slot(edition, recurrence, now)


def forget_taken_back(edition: Edition) -> None:
    """A new approval of an edition whose sends were all taken back before anything was out is a new yes to its slot, if that is to come.

    In the transaction of the approval, the edition locked. Raises the database's errors.
    """
    if edition.slot is None or edition.slot <= clock.now() or not is_taken_back(edition):
        return
    slot = locked_row(edition)
    if (
        slot is not None
        and slot.edition_id == edition.pk
        and (slot.outcome == Slot.Outcome.SKIPPED or slot.send is not None)
    ):
        _reset(slot, edition)


def _is_of_another_edition(slot: Slot, edition: Edition) -> bool:
    """Whether the row is about an edition that has left the slot. A send of it that is held still decides."""
    return slot.edition_id != edition.pk and (slot.send is None or slot.send.status == Send.Status.CANCELLED)


def _reset(slot: Slot, edition: Edition) -> None:
    slot.edition, slot.send, slot.outcome = edition, None, Slot.Outcome.OPEN
    slot.warned_at = slot.decided_at = None
    slot.save(update_fields=["edition", "send", "outcome", "warned_at", "decided_at"])


def _conclude(slot: Slot, send: Send, edition: Edition, now: datetime) -> None:
    """The slot's send exists and its time is over: what became of it?"""
    if send.prepared_at is not None:
        on_time = send.prepared_at - send.scheduled_at <= ON_TIME
        state_outcome(slot, Slot.Outcome.SENT if on_time else Slot.Outcome.LATE)
        return
    if send.status == Send.Status.CANCELLED:
        state_outcome(slot, Slot.Outcome.SKIPPED)
    miss_with_held_send(slot, send, edition, now)
