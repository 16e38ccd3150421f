"""Waking workers for what is pending. The database is the queue of record (docs/adr/0002): recovery replaces lost wake-ups."""

from django.db import transaction
from django.db.models.functions import Now

from tasks import queue
from tasks.database.statements import run
from tasks.models import Batch
from tasks.throttling import canary

#: Workers that are woken at once, however many batches there are.
WORKERS_AT_MOST = 64
_PENDING = f"""
SELECT b.id FROM tasks_batch b JOIN tasks_send s ON s.id = b.send_id
 WHERE b.send_id = %s AND b.enqueued_at IS NULL AND {canary.MAY_BE_CLAIMED_SQL}
 ORDER BY b.id LIMIT {WORKERS_AT_MOST}
"""  # noqa: S608 - made of constants


def wake_for_pending(send_id: int) -> int:
    """Enqueue a task message for every batch of a send that may be claimed and has none yet; how many. Recovery does the others."""
    return wake_for([batch_id for (batch_id,) in run(_PENDING, [send_id])])


def wake_for(batch_ids: list[int]) -> int:
    """Enqueue a task message for each of these batches and record it; stops at the first that the broker does not take.

    A worker that wakes up takes whatever is due: more messages than there may be workers wake nobody. The number sent.
    """
    enqueued = []
    for batch_id in batch_ids[:WORKERS_AT_MOST]:
        if not queue.enqueue_batch(batch_id):
            break
        enqueued.append(batch_id)
    Batch.objects.filter(pk__in=enqueued).update(enqueued_at=Now())
    return len(enqueued)


def wake_later(batch_id: int, seconds: float) -> None:
    """Enqueue a task message for after a wait, once the transaction is durable. A wait longer than
    `queue.LONGEST_COUNTDOWN` is left to recovery: the broker would deliver a late message again.
    """
    if seconds <= queue.LONGEST_COUNTDOWN:
        transaction.on_commit(lambda: queue.enqueue_batch(batch_id, countdown=seconds + 0.05), robust=True)
