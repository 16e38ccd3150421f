"""Releasing a held send: now, or with the publication's next slot.

Locks as in `tasks.approvals.reopened_sends`: the edition, then its sends by id, then slots.
"""

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from composer.models import Edition
from newsdesk.core.errors import RefusedError
from tasks import queue
from tasks.alarms.raising import clear_alarms
from tasks.approvals.reopened_sends import lock_held_sends
from tasks.database import clock
from tasks.models import Alarm, Send, Slot
from tasks.sends import database_doubts
from tasks.sends.audit_trail import record_action
from tasks.slots.rescheduling import take_next_slot
from tasks.slots.slot_sends import give_slot_to_send, set_due_time


class ReleaseError(RefusedError):
    """The send cannot go on as asked; the message says what to do."""


def release_now(send_id: int, *, by: Any = None, who: str = "") -> Send:
    """Let a held send go out at once; of a local-time send, those whose time is still ahead get it then.

    Raises ReleaseError.
    """
    with transaction.atomic():
        send = _lock_held_send(send_id)
        send.scheduled_at = min(send.scheduled_at, clock.now())
        _release(send)
        Slot.objects.filter(send=send).filter(Q(outcome="") | Q(outcome=Slot.Outcome.MISSED)).update(
            outcome=Slot.Outcome.LATE, decided_at=Now()
        )
        record_action(send.pk, "released", why="now", by=by, who=who)
        queue.on_commit(queue.enqueue_send, send.pk)
    return send


def release_to_next_slot(send_id: int, *, by: Any = None, who: str = "") -> Send:
    """Let a held send, and its edition, go out with the publication's next slot.

    Raises ReleaseError, also where the publication has no weekly slot.
    """
    with transaction.atomic():
        send = _lock_held_send(send_id)
        edition = send.edition
        slot = take_next_slot(edition, clock.now())
        if slot is None:
            raise ReleaseError(f"{edition.publication.slug} has no weekly slot: let it go out now, or cancel it")
        give_slot_to_send(send, edition)
        set_due_time(send, edition, slot)
        _release(send)
        record_action(send.pk, "released", why=f"with the slot {slot.isoformat()}", by=by, who=who)
    return send


def _lock_held_send(send_id: int) -> Send:
    """The held send, its row locked and its edition's before it. Raises ReleaseError where it cannot go on."""
    edition_id = Send.objects.filter(pk=send_id).values_list("edition", flat=True).first()
    edition = (
        Edition.objects.select_for_update(no_key=True, of=("self",)).select_related("publication").get(pk=edition_id)
        if edition_id is not None
        else None
    )
    send = next((one for one in lock_held_sends(edition) if one.pk == send_id), None) if edition is not None else None
    if edition is None or send is None:
        raise ReleaseError(f"send {send_id} is not held: look where it stands")
    send.edition = edition
    if not send.approval.stands:
        raise ReleaseError(f"edition {edition.pk} is not approved; approve it first")
    if database_doubts.may_be_out(send):
        # As `resume` refuses it: reopening is no way around that.
        raise ReleaseError(f"send {send.pk}: {database_doubts.MAY_BE_OUT}")
    return send


def _release(send: Send) -> None:
    send.status, send.held_at, send.pause_reason = Send.Status.SCHEDULED, None, ""
    send.save(update_fields=["status", "held_at", "pause_reason", "scheduled_at", "local_at"])
    clear_alarms(Alarm.Code.SEND_HELD, Alarm.Code.SLOT_MISSED, send=send)
