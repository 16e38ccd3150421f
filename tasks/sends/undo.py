"""Taking a send back before anything of it has gone out."""

from datetime import datetime, tzinfo
from typing import Any

import structlog
from django.db.models import Min
from django.db.models.functions import Now

from newsdesk.core.errors import RefusedError
from tasks.database import row_locks
from tasks.database.durability import durable
from tasks.models import Batch, Send
from tasks.sends import left_out
from tasks.sends.audit_trail import record_action
from tasks.sends.control import clear_pause_alarm

log = structlog.get_logger(__name__)


class UndoError(RefusedError):
    """The send cannot be taken back; the message says why and what can still be done.

    `why` is the former alone, for whoever has buttons; `can_stop`: what remains of it can still be stopped.
    """

    def __init__(self, why: str, advice: str = "") -> None:
        self.why, self.can_stop = why, bool(advice)
        super().__init__(f"{why}; {advice}" if advice else why)


def undo(send_id: int, *, by: Any = None, who: str = "", why: str = "") -> None:
    """Take a send back before anything of it has gone out; its edition can then be scheduled again.

    Possible until it is prepared, and from then on until `undo_until`, as long as no batch was ever claimed. Raises
    UndoError.
    """
    with durable():
        # Claims share this row: each of them is wholly before us, and then seen, or finds the send cancelled.
        row_locks.send_status(send_id, to_change=True)
        send = Send.objects.filter(pk=send_id).select_related("edition__publication").annotate(now=Now()).first()
        if send is None:
            raise UndoError(f"there is no send {send_id}")
        objection = _objection(send, send.now)
        if objection is not None:
            raise objection
        Send.objects.filter(pk=send_id).update(status=Send.Status.CANCELLED, finished_at=Now())
        Batch.objects.filter(send_id=send_id, status=Batch.Status.PENDING).update(status=Batch.Status.CANCELLED)
        clear_pause_alarm(send_id)
        record_action(send_id, "undone", why=why, by=by, who=who)
        left_out.tell(send_id)
    log.info("send_undone", send=send_id)


def _objection(send: Send, now: datetime) -> UndoError | None:
    """Why it cannot be taken back, for whoever asked; None when it can. `now` is the database's."""
    zone = send.edition.publication.zone
    if send.status == Send.Status.CANCELLED:
        return UndoError(f"send {send.pk} is cancelled already")
    claimed = Batch.objects.filter(send=send, attempts__gt=0)
    began = claimed.aggregate(first=Min("attempt_rows__fenced_at"), claimed=Min("claimed_at"))
    since = began["first"] or began["claimed"] or (send.prepared_at if claimed.exists() else None)
    if send.status == Send.Status.SENT:
        out_since = _as_local_time(since or send.finished_at, zone)
        return UndoError(f"send {send.pk} is out since {out_since}: nothing is left to take back")
    stop = f"newsdesk pause {send.pk} or newsdesk cancel {send.pk} stops what remains"
    if since is not None:
        return UndoError(f"send {send.pk} is going out since {_as_local_time(since, zone)}", stop)
    if send.prepared_at and not (send.undo_until and send.undo_until > now):
        ended = f": its time ended {_as_local_time(send.undo_until, zone)}" if send.undo_until else ""
        return UndoError(f"send {send.pk} can no longer be taken back{ended}", stop)
    return None


def _as_local_time(moment: datetime | None, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}" if moment else "a while ago"
