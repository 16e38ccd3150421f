"""Pausing, resuming, cancelling and finishing a send. Each locks the send's row, so that it is ordered with claims."""

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from tasks import doorbells, evidence, ground, locking
from tasks.alarms import raise_alarm
from tasks.durability import durable
from tasks.models import Attempt, Batch, Send

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


def pause(send_id: int, why: str) -> bool:
    """Stop claims from now on; requests in flight run to their end. False when it was not running."""
    paused = Send.objects.filter(pk=send_id, status__in=_NOT_OVER).update(
        status=Send.Status.PAUSED, pause_reason=why[:500]
    )
    if paused:
        log.warning("send_paused", send=send_id, why=why)
        raise_alarm("send_paused", why, send_id=send_id)
    return bool(paused)


def resume(send_id: int) -> bool:
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
        send.alarms.filter(code="send_paused", cleared_at=None).update(cleared_at=Now())
        Batch.objects.filter(send_id=send_id, status=Batch.Status.PENDING).update(rung_at=None)
    ring_pending(send_id)
    doorbells.ring_send(send_id)
    finish_if_done(send_id)
    return True


def cancel(send_id: int) -> bool:
    """Give up what is not out yet: pending batches are cancelled at once, those in flight when they are refused."""
    with durable():
        cancelled = (
            Send.objects.filter(pk=send_id)
            .exclude(status__in=[Send.Status.SENT, Send.Status.CANCELLED])
            .update(status=Send.Status.CANCELLED, finished_at=Now())
        )
        if cancelled:
            Batch.objects.filter(send_id=send_id, status=Batch.Status.PENDING).update(status=Batch.Status.CANCELLED)
    return bool(cancelled)


def finish_if_done(send_id: int) -> bool:
    """A send with nothing pending, submitting or unknown is sent."""
    still_open = Batch.objects.filter(send_id=OuterRef("pk"), status__in=_OPEN_BATCHES)
    finished = Send.objects.filter(~Exists(still_open), pk=send_id, status=Send.Status.SENDING).update(
        status=Send.Status.SENT, finished_at=Now()
    )
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
        pause(send_id, why)
        raise_alarm(GROUND_MOVED, why, send_id=send_id)
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
