"""Settling an unknown batch as refused: it goes out again, or is cancelled with its send."""

from collections.abc import Callable, Mapping
from uuid import UUID

from django.db import transaction

from tasks.database import row_locks
from tasks.database.durability import durable
from tasks.models import Attempt, Batch, Receipt, Send, evidence
from tasks.sends import finishing, left_out, wake_ups


def settle_as_refused(
    batch_id: int,
    attempt: UUID | None,
    *,
    fact: Mapping[str, object],
    unless_receipts_wait: bool = False,
    record: Callable[[], None] | None = None,
) -> bool:
    """Return an unknown batch to pending (to cancelled in a cancelled send); False if it was settled meanwhile.

    `attempt` is the one it was decided about; None for a batch that was never fenced. `fact` says why, in its evidence.
    `unless_receipts_wait`: leave it unknown while a receipt is not applied, for that may prove the opposite. `record` is
    called in the same transaction once it is so. Locks: docs/architecture.md, Lock order.
    """
    send_id = Batch.objects.filter(pk=batch_id).values_list("send_id", flat=True).get()
    with durable():
        cancelled = row_locks.send_status(send_id) == Send.Status.CANCELLED
        status = Batch.Status.CANCELLED if cancelled else Batch.Status.PENDING
        if unless_receipts_wait and Receipt.objects.filter(applied_at=None).exists():
            return False
        moved = Batch.objects.filter(pk=batch_id, attempt=attempt, status=Batch.Status.UNKNOWN).update(
            status=status, enqueued_at=None
        )
        if not moved:
            return False
        if attempt is not None:
            Attempt.objects.filter(pk=attempt).exclude(outcome=Attempt.Outcome.ACCEPTED).update(
                outcome=Attempt.Outcome.REFUSED, evidence=evidence.with_fact(fact)
            )
        if record is not None:
            record()
        if cancelled:
            # Other sends had left its readers out, since they might have had it.
            left_out.tell(send_id, anew=True)
        transaction.on_commit(lambda: wake_ups.wake_for([batch_id]), robust=True)
    finishing.finish_if_done(send_id)
    return True
