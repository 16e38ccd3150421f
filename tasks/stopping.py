"""Pausing, resuming, cancelling, taking back and finishing a send. Each locks the send's row, so that it is ordered with claims."""

from datetime import datetime, tzinfo
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import Min
from django.db.models.functions import Now

from tasks import doorbells, evidence, ground, locking
from tasks.actions import NEWSDESK, note
from tasks.alarms import raise_alarm
from tasks.durability import durable
from tasks.models import Alarm, Attempt, Batch, Send

log = structlog.get_logger(__name__)

GROUND_MOVED = "ground_moved"
#: Doorbells that are rung at once, however many batches there are.
WORKERS_AT_MOST = 64
_NOT_OVER = (Send.Status.SCHEDULED, Send.Status.PREPARING, Send.Status.SENDING)
_OPEN_BATCHES = (
    Batch.Status.PENDING,
    Batch.Status.BUILDING,
    Batch.Status.SUBMITTING,
    Batch.Status.UNKNOWN,
)
#: One statement, since it is asked after every batch.
_FINISH = """
WITH finished AS (
    UPDATE tasks_send s SET status = 'sent', finished_at = statement_timestamp()
     WHERE s.id = %s AND s.status = 'sending'
       AND NOT EXISTS (SELECT 1 FROM tasks_batch b
                        WHERE b.send_id = s.id AND b.status IN ('pending', 'building', 'submitting', 'unknown'))
    RETURNING s.id
)
INSERT INTO tasks_action (send_id, what, why, who) SELECT id, 'sent', '', %s FROM finished
"""


class CannotUndo(Exception):  # noqa: N818 - the message is for whoever asked
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
            note(send_id, "paused", why=why, by=by, who=who)
            raise_alarm("send_paused", why, send_id=send_id, mail=by is None and not who)
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
        if not send.prepared_at and send.alarms.filter(code=GROUND_MOVED, cleared_at=None).exists():
            # Restored to before its preparation: its readers may have the edition already.
            return False
        if send.held_at is not None:
            # Its edition was reopened, or its slot missed: approving it again, or `newsdesk release`, goes on.
            return False
        send.status = Send.Status.SENDING if send.prepared_at else Send.Status.SCHEDULED
        send.pause_reason = ""
        send.save(update_fields=["status", "pause_reason"])
        _clear_pause(send_id)
        Batch.objects.filter(send_id=send_id, status=Batch.Status.PENDING).update(rung_at=None)
        note(send_id, "resumed", why=why, by=by, who=who)
    ring_pending(send_id)
    doorbells.ring_send(send_id)
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
            note(send_id, "cancelled", why=why, by=by, who=who)
    return bool(cancelled)


def undo(send_id: int, *, by: Any = None, who: str = "", why: str = "") -> None:
    """Take a send back before anything of it has gone out; its edition can then be scheduled again.

    Possible until it is prepared, and from then on until `undo_until`, as long as no batch was ever claimed. Raises
    CannotUndo.
    """
    with durable():
        # Claims share this row: each of them is wholly before us, and then seen, or finds the send cancelled.
        locking.send_status(send_id, to_change=True)
        send = Send.objects.filter(pk=send_id).select_related("edition__publication").annotate(now=Now()).first()
        if send is None:
            raise CannotUndo(f"there is no send {send_id}")
        refused = _why_not_undone(send, send.now)
        if refused:
            raise CannotUndo(refused)
        Send.objects.filter(pk=send_id).update(status=Send.Status.CANCELLED, finished_at=Now())
        Batch.objects.filter(send_id=send_id, status=Batch.Status.PENDING).update(status=Batch.Status.CANCELLED)
        _clear_pause(send_id)
        note(send_id, "undone", why=why, by=by, who=who)
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
    Alarm.objects.filter(send_id=send_id, code="send_paused", cleared_at=None).update(cleared_at=Now())


def finish_if_done(send_id: int) -> bool:
    """A send with nothing pending, submitting or unknown is sent."""
    with connection.cursor() as cursor:
        cursor.execute(_FINISH, [send_id, NEWSDESK])
        finished = cursor.rowcount
    if finished:
        log.info("send_finished", send=send_id)
    return bool(finished)


def ground_moved(send_id: int, why: str = "") -> None:
    """The database is not the one this send was prepared in: what it says is pending may be out already.

    Its open batches become unknown, and no silence will be believed of their attempts: the proof may be lost too. From
    then on the send stands on the ground as it is now, so that a person's decisions can be carried out. Works inside a
    transaction that holds no lock on batches or deliveries yet, or in one of its own.
    """
    why = why or "The database was restored or promoted since the send was prepared; its open batches are unknown."
    with transaction.atomic():
        locking.send_status(send_id, to_change=True)
        raise_alarm(GROUND_MOVED, why, send_id=send_id, mail=True)
        pause(send_id, why)
        here = ground.current()
        Send.objects.filter(pk=send_id).update(system_identifier=here.system_identifier, timeline=here.timeline)
        batches = Batch.objects.filter(send_id=send_id)
        list(batches.filter(status__in=_OPEN_BATCHES).order_by("pk").select_for_update().values_list("pk"))
        batches.filter(status__in=[Batch.Status.PENDING, Batch.Status.BUILDING, Batch.Status.SUBMITTING]).update(
            status=Batch.Status.UNKNOWN
        )
        Attempt.objects.filter(
            batch__send_id=send_id, outcome__in=[Attempt.Outcome.OPEN, Attempt.Outcome.UNKNOWN]
        ).update(outcome=Attempt.Outcome.UNKNOWN, evidence=evidence.plus({"kind": GROUND_MOVED, "why": why}))


def ring_pending(send_id: int) -> int:
    """Ring for every pending, due batch of a send that nobody rang for; how many. The sweep rings for the others."""
    ids = list(
        Batch.objects.filter(send_id=send_id, status=Batch.Status.PENDING, rung_at=None, not_before__lte=Now())
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    return ring(ids)


def ring(batch_ids: list[int]) -> int:
    """Ring for these batches and note it; stops at the first that the broker does not take.

    A worker that wakes up takes whatever is due: more doorbells than there may be workers wake nobody.
    """
    rung = []
    for batch_id in batch_ids[:WORKERS_AT_MOST]:
        if not doorbells.ring_batch(batch_id):
            break
        rung.append(batch_id)
    Batch.objects.filter(pk__in=rung).update(rung_at=Now())
    return len(rung)


def ring_later(batch_id: int, seconds: float) -> None:
    """Ring once a wait is over. A long one is left to the sweep: the broker would deliver a late message again."""
    if seconds <= 60:
        transaction.on_commit(lambda: doorbells.ring_batch(batch_id, countdown=seconds + 0.05), robust=True)
