"""Writing down what became of a POST, and what follows from it. Safe to repeat."""

import random
from datetime import timedelta

import structlog
from django.db.models import F
from django.db.models.functions import Now

from tasks import aside, breaker, evidence, locking, reconciliation, stopping
from tasks.durability import durable
from tasks.models import Attempt, Batch, Send
from tasks.submission.building import Built
from tasks.submission.claiming import Claim
from tasks.transports import Accepted, Outcome, Reason, Refused, Unknown

log = structlog.get_logger(__name__)

#: Rounds a batch may be refused for recipients at fault before the send pauses.
MAX_ROUNDS = 20
#: Seconds of the first back-off and the most it grows to, when the provider does not say how long.
BACK_OFF = 2.0
BACK_OFF_LIMIT = 300.0

_OPEN = (Batch.Status.SUBMITTING, Batch.Status.UNKNOWN)


def record(held: Claim, built: Built, outcome: Outcome, *, transport: str) -> None:
    """Settle the attempt. Whoever else has settled the batch meanwhile (evidence, the sweep) is not overruled."""
    log.info(
        "attempt",
        send=held.send_id,
        batch=held.batch_id,
        attempt=str(held.attempt),
        outcome=type(outcome).__name__.lower(),
        recipients=len(built.recipients),
        said=getattr(outcome, "message", "") or None,
    )
    if isinstance(outcome, Accepted):
        _accepted(held, outcome, transport=transport)
    elif isinstance(outcome, Unknown):
        _unknown(held, outcome, transport=transport)
    else:
        _refused(held, built, outcome)
    stopping.finish_if_done(held.send_id)


def _accepted(held: Claim, outcome: Accepted, *, transport: str) -> None:
    fact = {"kind": "answer", "http_status": outcome.http_status, "provider_id": outcome.provider_id[:200]}
    with durable():
        reconciliation.prove_accepted({held.attempt: held.send_id}, by=fact)
    breaker.close(transport)


def _unknown(held: Claim, outcome: Unknown, *, transport: str) -> None:
    with durable():
        Batch.objects.filter(pk=held.batch_id, attempt=held.attempt, status=Batch.Status.SUBMITTING).update(
            status=Batch.Status.UNKNOWN
        )
        settled = Attempt.objects.filter(pk=held.attempt, outcome=Attempt.Outcome.OPEN).update(
            outcome=Attempt.Outcome.UNKNOWN,
            http_status=outcome.http_status,
            finished_at=Now(),
            evidence=evidence.plus({"kind": "answer", "said": outcome.message[:300]}),
        )
    if settled:
        breaker.count_unknown(transport)


def _refused(held: Claim, built: Built, outcome: Refused) -> None:
    pause = _why_to_pause(held, outcome)
    with durable():
        send_status = locking.send_status(held.send_id, to_change=bool(pause))
        batch = (
            Batch.objects.select_for_update(of=("self",))
            .filter(pk=held.batch_id, attempt=held.attempt, status__in=_OPEN)
            .first()
        )
        Attempt.objects.filter(pk=held.attempt).exclude(outcome=Attempt.Outcome.ACCEPTED).update(
            outcome=Attempt.Outcome.REFUSED,
            http_status=outcome.http_status,
            finished_at=Now(),
            evidence=evidence.plus({"kind": "answer", "said": outcome.message[:300]}),
        )
        if batch is None:
            return
        aside.set_aside(
            held.batch_id,
            send_id=held.send_id,
            kind="failed",
            reasons=_at_fault(built, outcome),
            # They were members of this attempt; they are not of the next.
            attempt=held.number + 1,
        )
        batch.refresh_from_db()
        _put_back(batch, outcome, cancelled=send_status == Send.Status.CANCELLED)
        if pause:
            stopping.pause(held.send_id, pause)
    if not pause and batch.status == Batch.Status.PENDING:
        stopping.ring_later(held.batch_id, _wait(batch, outcome))


def _at_fault(built: Built, outcome: Refused) -> dict[int, str]:
    """Words of the provider by subscriber id; positions outside the request are nobody."""
    ids = built.subscriber_ids
    return {ids[at]: words or "refused" for at, words in outcome.recipients_at_fault.items() if at < len(ids)}


def _put_back(batch: Batch, outcome: Refused, *, cancelled: bool) -> None:
    if batch.size == batch.excluded + batch.failed:
        batch.status = Batch.Status.FAILED
    elif cancelled:
        batch.status = Batch.Status.CANCELLED
    else:
        batch.status = Batch.Status.PENDING
    rounds = F("rounds") + (1 if outcome.reason is Reason.BAD_REQUEST else 0)
    Batch.objects.filter(pk=batch.pk).update(
        status=batch.status,
        rounds=rounds,
        not_before=Now() + timedelta(seconds=_wait(batch, outcome)),
        rung_at=None,
    )


def _wait(batch: Batch, outcome: Refused) -> float:
    """Seconds until the next try: what the provider asked for, or doubling with jitter."""
    if outcome.recipients_at_fault:
        return 0.0
    if outcome.retry_after is not None:
        return outcome.retry_after
    doubled = BACK_OFF * 2.0 ** min(batch.attempts - 1, 10)
    return min(doubled, BACK_OFF_LIMIT) * random.uniform(0.75, 1.25)  # noqa: S311


def _why_to_pause(held: Claim, outcome: Refused) -> str:
    """Words for an operator when the whole send must stop; empty when the batch can simply be tried again."""
    if outcome.reason in {Reason.NOT_ALLOWED, Reason.NOT_ACCEPTABLE}:
        return f"SendGrid refused: {outcome.message}"
    if outcome.reason is not Reason.BAD_REQUEST:
        return ""
    if not outcome.recipients_at_fault:
        return f"SendGrid refused the request and named no recipient: {outcome.message}"
    rounds = Batch.objects.filter(pk=held.batch_id).values_list("rounds", flat=True).get()
    if rounds + 1 >= MAX_ROUNDS:
        return f"Batch {held.batch_id} was refused {MAX_ROUNDS} times; the last time: {outcome.message}"
    return ""
