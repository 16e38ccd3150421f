"""What heals lost doorbells and dead workers, every ten seconds."""

from datetime import timedelta
from uuid import UUID

import structlog
from django.db import connection
from django.db.models.functions import Now

from newsdesk.core import process_identity
from tasks import queue
from tasks.alarms.raising import raise_alarm
from tasks.database import row_locks
from tasks.database.durability import durable
from tasks.models import Attempt, Batch, Receipt, Send, evidence
from tasks.providers.registry import get_transport
from tasks.sends import control, finishing, wake_ups
from tasks.submission.journal_recovery import recover_from_journal
from tasks.throttling import breaker, throttle, warm_up
from tasks.transactional import recovery

log = structlog.get_logger(__name__)

#: A worker's hard limit is 300 s: whoever holds a batch for longer can no longer POST.
STALE_SECONDS = 300
#: A doorbell older than this may be lost even while others wait in the broker.
DOORBELL_SECONDS = 300
#: When the broker holds none, one rung longer ago than this is lost for sure.
EMPTY_BROKER_SECONDS = 15
MAX_LOST_ATTEMPTS = 10
_RECEIPT_PATIENCE = timedelta(seconds=10)

_HELD = """
SELECT b.id, b.send_id, b.status, b.attempt, b.claimed_by,
       b.claimed_at < statement_timestamp() - make_interval(secs => %s) AS stale
  FROM tasks_batch b WHERE b.status IN ('building', 'submitting') ORDER BY b.id
"""
_DUE = f"""
SELECT b.id FROM tasks_batch b JOIN tasks_send s ON s.id = b.send_id
 WHERE b.status = 'pending' AND s.status = 'sending' AND b.not_before <= statement_timestamp()
   AND {warm_up.MAY_GO_ON_SQL}
   AND (b.enqueued_at IS NULL OR b.enqueued_at < b.not_before OR b.enqueued_at < statement_timestamp() - make_interval(secs => %s))
 ORDER BY b.enqueued_at NULLS FIRST, b.id LIMIT %s
"""  # noqa: S608 - made of constants


def recover(*, wake_all: bool = False) -> None:
    """Settle what dead workers held, ring what nobody answered, finish what is done.

    `wake_all` rings for every due batch, however young its doorbell: for a worker that has just started.
    """
    release_abandoned()
    recovery.recover(transport=get_transport(), wake_all=wake_all)
    wake_for_due(wake_all=wake_all)
    wake_for_receipts()
    Batch.objects.filter(status=Batch.Status.PENDING, send__status=Send.Status.CANCELLED).update(
        status=Batch.Status.CANCELLED
    )
    for send_id in Send.objects.filter(status=Send.Status.SENDING).values_list("pk", flat=True):
        finishing.finish_if_done(send_id)


def release_abandoned() -> None:
    """Building and dead: nothing left this machine, so pending again. Submitting and dead: nobody knows.

    Unless its transport remembers: SMTP notes each letter's outcome as it comes.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [STALE_SECONDS])
        held = cursor.fetchall()
    for batch_id, send_id, status, attempt, held_by, stale in held:
        dead = process_identity.is_dead(held_by)
        if not (stale or dead):
            continue
        why = "its worker is dead" if dead else f"its worker said nothing for {STALE_SECONDS} s"
        if status == Batch.Status.BUILDING:
            _return_unsent(batch_id, send_id, attempt)
        elif not (dead and recover_from_journal(batch_id, attempt, transport=get_transport())):
            _doubt(batch_id, attempt, why)
        log.warning("batch_released", batch=batch_id, was=status, why=why)


def _return_unsent(batch_id: int, send_id: int, attempt: UUID) -> None:
    with durable():
        cancelled = row_locks.send_status(send_id) == Send.Status.CANCELLED
        batch = (
            Batch.objects.select_for_update(of=("self",))
            .filter(pk=batch_id, attempt=attempt, status=Batch.Status.BUILDING)
            .first()
        )
        if batch is None:
            return
        batch.lost_attempts += 1
        failed = batch.lost_attempts >= MAX_LOST_ATTEMPTS
        if cancelled:
            batch.status = Batch.Status.CANCELLED
        else:
            batch.status = Batch.Status.FAILED if failed else Batch.Status.PENDING
        batch.enqueued_at = None
        batch.save(update_fields=["lost_attempts", "status", "enqueued_at"])
    if failed and not cancelled:
        why = f"Batch {batch_id} was lost by its worker {MAX_LOST_ATTEMPTS} times and has failed."
        raise_alarm("lost_attempts", why, send_id=send_id, mail=True)
        control.pause(send_id, why)


def _doubt(batch_id: int, attempt: UUID, why: str) -> None:
    with durable():
        moved = Batch.objects.filter(pk=batch_id, attempt=attempt, status=Batch.Status.SUBMITTING).update(
            status=Batch.Status.UNKNOWN
        )
        if moved:
            Attempt.objects.filter(pk=attempt, outcome=Attempt.Outcome.OPEN).update(
                outcome=Attempt.Outcome.UNKNOWN,
                finished_at=Now(),
                evidence=evidence.with_fact({"kind": "sweep", "why": why}),
            )


def wake_for_due(*, wake_all: bool = False) -> int:
    """Ring again for pending, due batches whose doorbell was lost; how many."""
    transport = get_transport().name
    if throttle.current(transport):
        return 0
    waiting = queue.waiting_batches()
    if waiting is None:
        return 0
    limit = wake_ups.WORKERS_AT_MOST - waiting
    if breaker.is_open(transport):
        if not breaker.probe_is_due(transport):
            return 0
        limit, wake_all = 1, True
    if limit <= 0:
        return 0
    older_than = 0 if wake_all else (DOORBELL_SECONDS if waiting else EMPTY_BROKER_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [older_than, limit])
        due = [batch_id for (batch_id,) in cursor.fetchall()]
    if due:
        log.info("rung_again", batches=len(due))
    return wake_ups.wake_for(due)


def wake_for_receipts() -> int:
    """Ring for receipts that wait longer than a healthy worker needs; an unreadable one waits for a person."""
    waiting = Receipt.objects.filter(applied_at__isnull=True, error="", received_at__lt=Now() - _RECEIPT_PATIENCE)
    ids = list(waiting.order_by("pk").values_list("pk", flat=True)[:1000])
    return sum(1 for receipt_id in ids if queue.enqueue_receipt(receipt_id))
