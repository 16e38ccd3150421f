"""A person's decision where evidence and silence have none to give."""

import structlog
from django.db import transaction

from tasks import evidence
from tasks.models import Attempt, Batch
from tasks.reconciliation.silence import put_back

log = structlog.get_logger(__name__)


def resend(batch_id: int, *, who: str) -> bool:
    """Send an unknown batch again: its readers may get the edition twice if the first request was accepted after all."""
    batch = Batch.objects.filter(pk=batch_id, status=Batch.Status.UNKNOWN).first()
    if batch is None:
        return False
    log.warning("batch_decided", batch=batch_id, decided="resend", who=who)
    return put_back(batch.pk, batch.attempt, fact={"kind": "person", "who": who, "decided": "resend"})


def leave(batch_id: int, *, who: str) -> bool:
    """Leave an unknown batch as it is for good: its readers count as unknown, and no other send of the edition takes them."""
    log.warning("batch_decided", batch=batch_id, decided="leave", who=who)
    with transaction.atomic():
        batch = Batch.objects.select_for_update(of=("self",)).filter(pk=batch_id, status=Batch.Status.UNKNOWN).first()
        if batch is None:
            return False
        if batch.attempt is not None:
            Attempt.objects.filter(pk=batch.attempt).update(
                evidence=evidence.plus({"kind": "person", "who": who, "decided": "leave"})
            )
    return True
