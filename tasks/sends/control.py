"""Pausing, resuming, cancelling, taking back and finishing a send. Each locks the send's row, so that it is ordered with claims."""

from datetime import datetime, tzinfo
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Min
from django.db.models.functions import Now

from newsdesk.core.errors import RefusedError
from tasks import queue
from tasks.alarms.raising import raise_alarm
from tasks.database import row_locks
from tasks.database.durability import durable
from tasks.models import Alarm, Batch, Send
from tasks.sends.audit_trail import record_action
from tasks.sends.finishing import finish_if_done
from tasks.sends.wake_ups import wake_for_pending

log = structlog.get_logger(__name__)

_NOT_OVER = (Send.Status.SCHEDULED, Send.Status.SENDING)


class UndoError(RefusedError):
    """The send cannot be taken back; the message says why and what can still be done."""


def pause(send_id: int, why: str, *, by: Any = None, who: str = "") -> bool:
    """Stop claims from now on; requests in flight run to their end. False when it was not running.

    Without `by` and `who` Newsdesk itself does it, and the editors are written to.
    """
    with transaction.atomic():
        paused = Send.objects.filter(pk=send_id, status__in=_NOT_OVER).update(
            status=Send.Status.PAUSED, pause_reason=why[:500]
        )
        if paused:
            record_action(send_id, "paused", why=why, by=by, who=who)
            raise_alarm(Alarm.Code.SEND_PAUSED, why, send_id=send_id, mail=by is None and not who)
    if paused:
        log.warning("send_paused", send=send_id, why=why)
    return bool(paused)


def resume(send_id: int, *, by: Any = None, who: str = "", why: str = "") -> bool:
    """Go on after a pause: to sending when it was prepared, otherwise back to its schedule."""
    with durable():
        send = (
            Send.objects.select_for_update(of=("self",), no_key=True)
            .filter(pk=send_id, status=Send.Status.PAUSED)
            .first()
        )
        if send is None:
            return False
        if not send.prepared_at and send.alarms.filter(code=Alarm.Code.DATABASE_MOVED, cleared_at=None).exists():
            # Restored to before its preparation: its readers may have the edition already.
            return False
        if send.held_at is not None:
            # Its edition was reopened, or its slot missed: approving it again, or `newsdesk release`, goes on.
            return False
        send.status = Send.Status.SENDING if send.prepared_at else Send.Status.SCHEDULED
        send.pause_reason = ""
        send.save(update_fields=["status", "pause_reason"])
        _clear_pause(send_id)
        Batch.objects.filter(send_id=send_id, status=Batch.Status.PENDING).update(enqueued_at=None)
        record_action(send_id, "resumed", why=why, by=by, who=who)
    wake_for_pending(send_id)
    queue.enqueue_send(send_id)
    finish_if_done(send_id)
    return True


def cancel(send_id: int, *, by: Any = None, who: str = "", why: str = "") -> bool:
    """Give up what is not out yet: pending batches are cancelled at once, those in flight when they are refused."""
    with durable():
        cancelled = (
            Send.objects.filter(pk=send_id)
            .exclude(status__in=[Send.Status.SENT, Send.Status.CANCELLED])
            .update(status=Send.Status.CANCELLED, finished_at=Now())
        )
        if cancelled:
            Batch.objects.filter(send_id=send_id, status=Batch.Status.PENDING).update(status=Batch.Status.CANCELLED)
            _clear_pause(send_id)
            record_action(send_id, "cancelled", why=why, by=by, who=who)
    return bool(cancelled)


def undo(send_id: int, *, by: Any = None, who: str = "", why: str = "") -> None:
    """Take a send back before anything of it has gone out; its edition can then be scheduled again.

    Possible until it is prepared, and from then on until `undo_until`, as long as no batch was ever claimed. Raises
    CannotUndo.
    """
    with durable():
        # Claims share this row: each of them is wholly before us, and then seen, or finds the send cancelled.
        row_locks.send_status(send_id, to_change=True)
        send = Send.objects.filter(pk=send_id).select_related("edition__publication").annotate(now=Now()).first()
        if send is None:
            raise UndoError(f"there is no send {send_id}")
        refused = _why_not_undone(send, send.now)
        if refused:
            raise UndoError(refused)
        Send.objects.filter(pk=send_id).update(status=Send.Status.CANCELLED, finished_at=Now())
        Batch.objects.filter(send_id=send_id, status=Batch.Status.PENDING).update(status=Batch.Status.CANCELLED)
        _clear_pause(send_id)
        record_action(send_id, "undone", why=why, by=by, who=who)
    log.info("send_undone", send=send_id)


def _why_not_undone(send: Send, now: datetime) -> str:
    """Words for whoever asked; empty when it can be taken back. `now` is the database's."""
    zone = send.edition.publication.zone
    if send.status == Send.Status.CANCELLED:
        return f"send {send.pk} is cancelled already"
    claimed = Batch.objects.filter(send=send, attempts__gt=0)
    began = claimed.aggregate(first=Min("attempt_rows__fenced_at"), claimed=Min("claimed_at"))
    since = began["first"] or began["claimed"] or (send.prepared_at if claimed.exists() else None)
    if send.status == Send.Status.SENT:
        return f"send {send.pk} is out since {_told(since or send.finished_at, zone)}: nothing is left to take back"
    stop = f"newsdesk pause {send.pk} or newsdesk cancel {send.pk} stops what remains"
    if since is not None:
        return f"send {send.pk} is going out since {_told(since, zone)}; {stop}"
    if send.prepared_at and not (send.undo_until and send.undo_until > now):
        ended = f": its time ended {_told(send.undo_until, zone)}" if send.undo_until else ""
        return f"send {send.pk} can no longer be taken back{ended}; {stop}"
    return ""


def _told(moment: datetime | None, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}" if moment else "a while ago"


def _clear_pause(send_id: int) -> None:
    Alarm.objects.filter(send_id=send_id, code=Alarm.Code.SEND_PAUSED, cleared_at=None).update(cleared_at=Now())
