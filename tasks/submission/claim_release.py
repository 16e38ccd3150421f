"""Releasing the claim of a batch that its own worker surely did not post."""

from uuid import UUID

from django.db.models.functions import Now

from tasks.database import row_locks
from tasks.database.durability import durable
from tasks.models import Attempt, Batch, Send, evidence


def release_claim(batch_id: int, attempt: UUID, *, why: str) -> bool:
    """Return the batch to pending (to cancelled in a cancelled send) wherever the attempt had got to before its POST.

    Only for the worker whose attempt it is and who knows that it has not posted. False when the claim is not its any more.
    Raises the database's errors; safe to repeat.
    """
    send_id = Batch.objects.filter(pk=batch_id).values_list("send_id", flat=True).get()
    with durable():
        cancelled = row_locks.send_status(send_id) == Send.Status.CANCELLED
        batch = (
            Batch.objects.select_for_update(of=("self",))
            .filter(pk=batch_id, attempt=attempt, status__in=[Batch.Status.BUILDING, Batch.Status.SUBMITTING])
            .first()
        )
        if batch is None:
            return False
        batch.status = Batch.Status.CANCELLED if cancelled else Batch.Status.PENDING
        batch.enqueued_at = None
        batch.save(update_fields=["status", "enqueued_at"])
        Attempt.objects.filter(pk=attempt, outcome=Attempt.Outcome.OPEN).update(
            outcome=Attempt.Outcome.REFUSED,
            finished_at=Now(),
            evidence=evidence.with_fact({"kind": "withdrawn", "why": why, "proves": "refused"}),
        )
    return True


def release_claim_of(attempt: UUID, *, why: str) -> bool:
    """The same when only the attempt is known: the answer to the claim may have been lost."""
    batch_id = Batch.objects.filter(attempt=attempt).values_list("pk", flat=True).first()
    return batch_id is not None and release_claim(batch_id, attempt, why=why)
