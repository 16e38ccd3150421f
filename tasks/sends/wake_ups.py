"""Waking workers for what is pending. The database is the queue of record: a wake-up that is lost is made up for."""

from django.db import transaction
from django.db.models.functions import Now

from tasks import queue
from tasks.models import Batch

#: Workers that are woken at once, however many batches there are.
WORKERS_AT_MOST = 64


def wake_for_pending(send_id: int) -> int:
    """Ring for every pending, due batch of a send that nobody rang for; how many. The sweep rings for the others."""
    ids = list(
        Batch.objects.filter(send_id=send_id, status=Batch.Status.PENDING, enqueued_at=None, not_before__lte=Now())
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    return wake_for(ids)


def wake_for(batch_ids: list[int]) -> int:
    """Ring for these batches and note it; stops at the first that the broker does not take.

    A worker that wakes up takes whatever is due: more doorbells than there may be workers wake nobody.
    """
    rung = []
    for batch_id in batch_ids[:WORKERS_AT_MOST]:
        if not queue.enqueue_batch(batch_id):
            break
        rung.append(batch_id)
    Batch.objects.filter(pk__in=rung).update(enqueued_at=Now())
    return len(rung)


def wake_later(batch_id: int, seconds: float) -> None:
    """Ring once a wait is over. A long one is left to the sweep: the broker would deliver a late message again."""
    if seconds <= queue.LONGEST_COUNTDOWN:
        transaction.on_commit(lambda: queue.enqueue_batch(batch_id, countdown=seconds + 0.05), robust=True)
