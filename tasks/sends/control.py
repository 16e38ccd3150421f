"""Pausing, resuming and cancelling a send. Each locks the send's row, so that it is ordered with claims."""

from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Least, Now

from tasks import queue
from tasks.alarms.raising import clear_alarms, raise_alarm
from tasks.database.durability import durable
from tasks.models import Alarm, Batch, Send
from tasks.sends import database_doubts, heartbeat_pings, left_out
from tasks.sends.audit_trail import record_action
from tasks.sends.finishing import finish_if_done
from tasks.sends.wake_ups import wake_for_pending

log = structlog.get_logger(__name__)

_OF_A_PAUSE = (
    Alarm.Code.SEND_PAUSED,
    Alarm.Code.MANY_FAILED,
    Alarm.Code.MANY_BOUNCED,
    Alarm.Code.MANY_COMPLAINED,
    Alarm.Code.MANY_DROPPED,
    Alarm.Code.SEND_HELD,
)
_RUNNING = (Send.Status.SCHEDULED, Send.Status.SENDING)


def pause(send_id: int, why: str, *, by: Any = None, who: str = "") -> bool:
    """Stop claims from now on; requests in flight run to their end. False when it was neither scheduled nor sending.

    `by` is a user, `who` words instead of one; without both Newsdesk itself does it, and the editors get a mail.
    """
    with transaction.atomic():
        paused = Send.objects.filter(pk=send_id, status__in=_RUNNING).update(
            status=Send.Status.PAUSED, pause_reason=why[:500]
        )
        if paused:
            record_action(send_id, "paused", why=why, by=by, who=who)
            by_itself = by is None and not who
            raise_alarm(Alarm.Code.SEND_PAUSED, why, send_id=send_id, mail=by_itself)
            if by_itself:
                heartbeat_pings.failed(send_id)
    if paused:
        log.warning("send_paused", send=send_id, why=why)
    return bool(paused)


def resume(send_id: int, *, by: Any = None, who: str = "", why: str = "") -> bool:
    """Go on after a pause: to sending when it was prepared, otherwise back to its schedule. What backed off is due at once.

    False when it is not paused, is held, or was restored to before its preparation.
    """
    with durable():
        send = (
            Send.objects.select_for_update(of=("self",), no_key=True)
            .filter(pk=send_id, status=Send.Status.PAUSED)
            .first()
        )
        if send is None:
            return False
        if database_doubts.may_be_out(send):
            return False
        if send.held_at is not None:
            # Its edition was reopened, or its slot missed: it waits for an approval or for `newsdesk release`.
            return False
        send.status = Send.Status.SENDING if send.prepared_at else Send.Status.SCHEDULED
        send.pause_reason = ""
        send.save(update_fields=["status", "pause_reason"])
        clear_pause_alarm(send_id)
        pending = Batch.objects.filter(send_id=send_id, status=Batch.Status.PENDING)
        pending.update(enqueued_at=None)
        _end_back_offs(pending)
        record_action(send_id, "resumed", why=why, by=by, who=who)
    wake_for_pending(send_id)
    queue.enqueue_send(send_id)
    finish_if_done(send_id)
    return True


def _end_back_offs(pending: QuerySet[Batch]) -> None:
    """Make these due that wait only because their requests were refused in a row: whoever resumes has mended the cause, or wants to see."""
    # Only a refusal counts stalls, and it dates `not_before` with them. Without any it is the moment a reader's own clock or the time for
    # taking back has set, or a mail server that told these very readers to come later. A domain's readers wait for their domain.
    backed_off = pending.filter(stalls__gt=0, mailbox_domain="")
    backed_off.update(stalls=0, not_before=Least(F("not_before"), Now()))


def cancel(send_id: int, *, by: Any = None, who: str = "", why: str = "") -> bool:
    """Give up what is not out yet: pending batches are cancelled at once, those in flight when they are refused.

    False when it is sent or cancelled already.
    """
    with durable():
        cancelled = (
            Send.objects.filter(pk=send_id)
            .exclude(status__in=[Send.Status.SENT, Send.Status.CANCELLED])
            .update(status=Send.Status.CANCELLED, finished_at=Now())
        )
        if cancelled:
            Batch.objects.filter(send_id=send_id, status=Batch.Status.PENDING).update(status=Batch.Status.CANCELLED)
            clear_pause_alarm(send_id)
            record_action(send_id, "cancelled", why=why, by=by, who=who)
            left_out.tell(send_id)
    return bool(cancelled)


def clear_pause_alarm(send_id: int) -> None:
    """Take the alarms of a pause off the desk, in the caller's transaction."""
    clear_alarms(*_OF_A_PAUSE, send_id=send_id)
