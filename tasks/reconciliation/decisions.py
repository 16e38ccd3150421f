"""A person's decision where evidence and silence have none to give."""

from typing import Any

import structlog
from django.db import transaction

from tasks.models import Attempt, Batch, evidence
from tasks.reconciliation.settling import settle_as_refused
from tasks.sends.audit_trail import record_action

log = structlog.get_logger(__name__)


def resend(batch_id: int, *, who: str, why: str = "", by: Any = None) -> bool:
    """Send an unknown batch again: its readers may get the edition twice if the first request was accepted after all.

    False when the batch is not unknown. `who` decided, in words; `by` is a user.
    """
    batch = Batch.objects.filter(pk=batch_id, status=Batch.Status.UNKNOWN).first()
    if batch is None:
        return False
    log.warning("batch_decided", batch=batch_id, decided="resend", who=who)
    fact = {"kind": "person", "who": who, "decided": "resend"}
    return settle_as_refused(
        batch.pk, batch.attempt, fact=fact, record=lambda: _record(batch, "resend", why=why, by=by, who=who)
    )


def leave(batch_id: int, *, who: str, why: str = "", by: Any = None) -> bool:
    """Leave an unknown batch as it is for good: its readers count as unknown, and no other send of the edition takes them.

    False when the batch is not unknown. `who` decided, in words; `by` is a user.
    """
    log.warning("batch_decided", batch=batch_id, decided="leave", who=who)
    with transaction.atomic():
        batch = Batch.objects.select_for_update(of=("self",)).filter(pk=batch_id, status=Batch.Status.UNKNOWN).first()
        if batch is None:
            return False
        Batch.objects.filter(pk=batch.pk).update(left_after_claims=batch.attempts)
        if batch.attempt is not None:
            Attempt.objects.filter(pk=batch.attempt).update(
                evidence=evidence.with_fact({"kind": "person", "who": who, "decided": "leave"})
            )
        _record(batch, "leave", why=why, by=by, who=who)
    return True


def undecided(send_id: int | None = None) -> list[Batch]:
    """Unknown batches that nobody has left as they are, of one send or of all, by id."""
    unknown = Batch.objects.undecided()
    return list((unknown if send_id is None else unknown.filter(send_id=send_id)).order_by("pk"))


def _record(batch: Batch, decided: str, *, why: str, by: Any, who: str) -> None:
    decision = f"batch {batch.pk}: {decided}"
    record_action(batch.send_id, "settled", why=f"{decision}. {why}" if why else decision, by=by, who=who)
