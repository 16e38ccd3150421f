"""Writing down what became of a POST, and what follows from it. Safe to repeat."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

import orjson
import structlog
from django.db.models import F
from django.db.models.functions import Now

from tasks.attempts import exclusions, proof
from tasks.database import row_locks
from tasks.database.durability import durable, run_durably
from tasks.models import Attempt, Batch, Send, evidence
from tasks.providers import registry
from tasks.providers.base import Accepted, Outcome, Partial, Reason, Refused, Unknown
from tasks.sends import control, finishing, wake_ups
from tasks.submission import provider_trouble
from tasks.submission.claiming import Claim
from tasks.submission.partial_outcomes import record_partial
from tasks.submission.retries import MAX_ROUNDS, back_off, words_to_pause
from tasks.throttling import throttle

log = structlog.get_logger(__name__)

_OPEN = (Batch.Status.SUBMITTING, Batch.Status.UNKNOWN)


class Members(Protocol):
    """What is needed of a request to record its outcome."""

    @property
    def subscriber_ids(self) -> Sequence[int]:
        """In the order of its recipients."""


def record(held: Claim, built: Members, outcome: Outcome, *, transport: str, finish: bool = True) -> None:
    """Settle the attempt. Whoever else has settled the batch meanwhile (evidence, the sweep) is not overruled.

    `finish`: look whether the send is done with it; a caller with many batches looks once for all of them.
    """
    log.info(
        "attempt",
        send=held.send_id,
        batch=held.batch_id,
        attempt=str(held.attempt),
        outcome=type(outcome).__name__.lower(),
        recipients=len(built.subscriber_ids),
        said=getattr(outcome, "message", "") or None,
    )
    if isinstance(outcome, Accepted):
        _accepted(held, outcome, transport=transport)
    elif isinstance(outcome, Unknown):
        _unknown(held, outcome, transport=transport)
    elif isinstance(outcome, Partial):
        record_partial(held, tuple(built.subscriber_ids), outcome, transport=transport)
    else:
        _refused(held, built, outcome, transport=transport)
    if finish:
        finishing.finish_if_done(held.send_id)


#: An answer to a batch's first and only attempt, which nothing else has settled: the batch's lock before the attempt's.
#: Whatever made the breaker or a hold count is over as well.
_ACCEPTED = """
WITH mine AS (
    UPDATE tasks_batch SET status = 'submitted'
     WHERE id = %b AND attempt = %b AND attempts = 1 AND status = 'submitting' RETURNING id
), proven AS (
    UPDATE tasks_attempt a SET outcome = 'accepted', http_status = %b, provider_id = %b, finished_at = statement_timestamp(),
           evidence = jsonb_build_array(%b::jsonb || jsonb_build_object('at', statement_timestamp()))
      FROM mine WHERE a.id = %b AND a.batch_id = mine.id
    RETURNING 1
)
SELECT EXISTS (SELECT 1 FROM proven),
       EXISTS (SELECT 1 FROM tasks_transportstate WHERE name = %b AND (unknowns_in_a_row > 0 OR too_many_in_a_row > 0))
"""


def _accepted(held: Claim, outcome: Accepted, *, transport: str) -> None:
    fact = {"kind": "answer", "http_status": outcome.http_status, "provider_id": outcome.provider_id[:200]}
    told = orjson.dumps({**fact, "proves": "accepted"}).decode()
    given = (outcome.http_status, outcome.provider_id[:200].replace("\0", ""), told, held.attempt, transport)
    ((proven, troubled),) = run_durably(_ACCEPTED, (held.batch_id, held.attempt, *given))
    if not proven:
        # It was in doubt, or tried before: all the evidence is weighed.
        with durable():
            proof.prove_accepted({held.attempt: held.send_id}, by=fact)
    if troubled:
        provider_trouble.trust_again(transport)


def _unknown(held: Claim, outcome: Unknown, *, transport: str) -> None:
    with durable():
        Batch.objects.filter(pk=held.batch_id, attempt=held.attempt, status=Batch.Status.SUBMITTING).update(
            status=Batch.Status.UNKNOWN
        )
        settled = Attempt.objects.filter(pk=held.attempt, outcome=Attempt.Outcome.OPEN).update(
            outcome=Attempt.Outcome.UNKNOWN,
            http_status=outcome.http_status,
            finished_at=Now(),
            evidence=evidence.with_fact({"kind": "answer", "said": outcome.message[:300]}),
        )
    if settled:
        provider_trouble.count_unknown(transport)


def _refused(held: Claim, built: Members, outcome: Refused, *, transport: str) -> None:
    pause = _why_to_pause(held, outcome, transport)
    with durable():
        send_status = row_locks.send_status(held.send_id, to_change=bool(pause))
        batch = (
            Batch.objects.select_for_update(of=("self",))
            .filter(pk=held.batch_id, attempt=held.attempt, status__in=_OPEN)
            .first()
        )
        Attempt.objects.filter(pk=held.attempt).exclude(outcome=Attempt.Outcome.ACCEPTED).update(
            outcome=Attempt.Outcome.REFUSED,
            http_status=outcome.http_status,
            finished_at=Now(),
            evidence=evidence.with_fact({"kind": "answer", "said": outcome.message[:300]}),
        )
        if batch is None:
            return
        exclusions.exclude(
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
            control.pause(held.send_id, pause)
    if outcome.reason in {Reason.TOO_MANY, Reason.NOT_SENT}:
        # It concerns all batches: each would find it out by itself.
        said = "asked to wait" if outcome.reason is Reason.TOO_MANY else "cannot be reached"
        throttle.throttle(
            transport, seconds=outcome.retry_after, why=f"{registry.title_of(transport)} {said}: {outcome.message}"
        )
    if not pause and batch.status == Batch.Status.PENDING:
        wake_ups.wake_later(held.batch_id, _wait(batch, outcome))


def _at_fault(built: Members, outcome: Refused) -> dict[int, str]:
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
        enqueued_at=None,
    )


def _wait(batch: Batch, outcome: Refused) -> float:
    """Seconds until the next try: what the provider asked for, or doubling with jitter."""
    if outcome.recipients_at_fault:
        return 0.0
    if outcome.retry_after is not None:
        return outcome.retry_after
    return back_off(batch.attempts)


def _why_to_pause(held: Claim, outcome: Refused, transport: str) -> str:
    """Words for an operator when the whole send must stop; empty when the batch can simply be tried again."""
    if outcome.reason in {Reason.NOT_ALLOWED, Reason.NOT_ACCEPTABLE}:
        return words_to_pause(transport, outcome.message)
    if outcome.reason is not Reason.BAD_REQUEST:
        return ""
    if not outcome.recipients_at_fault:
        return words_to_pause(transport, f"it named no recipient: {outcome.message}")
    rounds = Batch.objects.filter(pk=held.batch_id).values_list("rounds", flat=True).get()
    if rounds + 1 >= MAX_ROUNDS:
        return f"Batch {held.batch_id} was refused {MAX_ROUNDS} times; the last time: {outcome.message}"
    return ""
