"""Recording the outcome of a POST, and what follows from it. Safe to repeat."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

import orjson
import structlog
from django.db.models import F
from django.db.models.functions import Least, Now

from tasks.attempts import exclusions
from tasks.database import row_locks
from tasks.database.durability import durable, run_durably
from tasks.models import Attempt, Batch, Send, evidence
from tasks.providers import registry
from tasks.providers.base import Accepted, Outcome, Partial, Reason, Refused, Unknown
from tasks.sends import control, finishing, stopping, wake_ups
from tasks.submission import late_answers, provider_trouble
from tasks.submission.claiming import Claim
from tasks.submission.partial_outcomes import record_partial
from tasks.submission.retries import MAX_ROUNDS, MOST_STALLS, refusal_explained, why_named_in_vain
from tasks.throttling import deferrals, mailbox_domains, throttle
from tasks.throttling.back_off import back_off

log = structlog.get_logger(__name__)

_OPEN = (Batch.Status.SUBMITTING, Batch.Status.UNKNOWN)


class Members(Protocol):
    """The members of a request, as recording its outcome needs them."""

    @property
    def subscriber_ids(self) -> Sequence[int]:
        """In the order of its recipients."""


def record(claim: Claim, members: Members, outcome: Outcome, *, transport: str, finish: bool = True) -> None:
    """Settle the attempt. What has settled the batch meanwhile (evidence, recovery) is not overruled.

    `transport`: its name with the fingerprint. `finish`: look whether the send is done with it; a caller with many batches
    looks once for all of them. Raises the database's errors, and MembersMissingError (`tasks.attempts.moving`).
    """
    log.info(
        "attempt",
        send=claim.send_id,
        batch=claim.batch_id,
        attempt=str(claim.attempt),
        outcome=type(outcome).__name__.lower(),
        recipients=len(members.subscriber_ids),
        message=getattr(outcome, "message", "") or None,
    )
    if isinstance(outcome, Accepted):
        _accepted(claim, members, outcome, transport=transport)
    elif isinstance(outcome, Unknown):
        _unknown(claim, outcome, transport=transport)
    elif isinstance(outcome, Partial):
        record_partial(claim, tuple(members.subscriber_ids), outcome, transport=transport)
    else:
        _refused(claim, members, outcome, transport=transport)
    if isinstance(outcome, Refused | Partial):
        stopping.pause_if_too_many(claim.send_id)
    if claim.is_canary:
        # Whatever the answer was: those that waited for it have no task message yet.
        wake_ups.wake_for_pending(claim.send_id)
    if finish:
        finishing.finish_if_done(claim.send_id)


#: An answer to a batch's first and only attempt, which nothing else has settled: the batch's lock before the attempt's.
#: Whatever the breaker or the throttle counted is over as well.
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


def _accepted(claim: Claim, members: Members, outcome: Accepted, *, transport: str) -> None:
    fact = {"kind": "answer", "http_status": outcome.http_status, "provider_id": outcome.provider_id[:200]}
    proof_json = orjson.dumps({**fact, "proves": "accepted"}).decode()
    answer = (outcome.http_status, outcome.provider_id[:200].replace("\0", ""), proof_json)
    params = (claim.batch_id, claim.attempt, *answer, claim.attempt, transport)
    ((proven, troubled),) = run_durably(_ACCEPTED, params)
    if not proven:
        # It was unknown, or tried before: all the evidence is weighed.
        late_answers.prove_all(claim, members.subscriber_ids, by=fact)
    if troubled:
        provider_trouble.trust_again(transport)
    if claim.mailbox_domain:
        mailbox_domains.recovered(claim.mailbox_domain)
        deferrals.pause_after_batch(claim.mailbox_domain)


def _unknown(claim: Claim, outcome: Unknown, *, transport: str) -> None:
    with durable():
        Batch.objects.filter(pk=claim.batch_id, attempt=claim.attempt, status=Batch.Status.SUBMITTING).update(
            status=Batch.Status.UNKNOWN
        )
        settled = Attempt.objects.filter(pk=claim.attempt, outcome=Attempt.Outcome.OPEN).update(
            outcome=Attempt.Outcome.UNKNOWN,
            http_status=outcome.http_status,
            finished_at=Now(),
            evidence=evidence.with_fact({"kind": "answer", "said": outcome.message[:300]}),
        )
    if settled:
        provider_trouble.count_unknown(transport)


def _refused(claim: Claim, members: Members, outcome: Refused, *, transport: str) -> None:
    doubt = _doubt(claim, members, outcome, transport)
    pause = doubt or _why_to_pause(claim, outcome, transport)
    with durable():
        send_status = row_locks.send_status(claim.send_id, to_change=bool(pause))
        batch = (
            Batch.objects.select_for_update(of=("self",))
            .filter(pk=claim.batch_id, attempt=claim.attempt, status__in=_OPEN)
            .first()
        )
        Attempt.objects.filter(pk=claim.attempt).exclude(outcome=Attempt.Outcome.ACCEPTED).update(
            outcome=Attempt.Outcome.REFUSED,
            http_status=outcome.http_status,
            finished_at=Now(),
            evidence=evidence.with_fact({"kind": "answer", "said": outcome.message[:300]}),
        )
        if batch is None:
            return
        exclusions.exclude(
            claim.batch_id,
            send_id=claim.send_id,
            kind="failed",
            reasons={} if doubt else _at_fault(members, outcome),
            # They were members of this attempt; they are not of the next.
            attempt=claim.number + 1,
        )
        batch.refresh_from_db()
        wait = _wait(batch, outcome)
        _settle_refused_batch(batch, outcome, wait, cancelled=send_status == Send.Status.CANCELLED)
        if pause:
            control.pause(claim.send_id, pause)
    if outcome.reason in {Reason.TOO_MANY, Reason.NOT_SENT}:
        # It concerns all batches: each would find it out by itself.
        trouble = "asked to wait" if outcome.reason is Reason.TOO_MANY else "cannot be reached"
        why = f"{registry.title_of(transport)} {trouble}: {outcome.message}"
        throttle.throttle(transport, seconds=outcome.retry_after, why=why)
    if not pause and batch.status == Batch.Status.PENDING:
        wake_ups.wake_later(claim.batch_id, wait)


def _doubt(claim: Claim, members: Members, outcome: Refused, transport: str) -> str:
    """Why readers whom the answer names are not believed to be at fault, for an operator; empty when they are, or nobody is named."""
    named = _at_fault(members, outcome)
    if outcome.reason is not Reason.BAD_REQUEST or not named:
        return ""
    failed = Batch.objects.filter(pk=claim.batch_id).values_list("failed", flat=True).get()
    return why_named_in_vain(transport, named, of=len(members.subscriber_ids), failed_before=failed)


def _at_fault(members: Members, outcome: Refused) -> dict[int, str]:
    """The provider's messages by subscriber id; positions outside the request are nobody."""
    ids = members.subscriber_ids
    return {ids[at]: message or "refused" for at, message in outcome.recipients_at_fault.items() if at < len(ids)}


def _settle_refused_batch(batch: Batch, outcome: Refused, wait: float, *, cancelled: bool) -> None:
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
        stalls=0 if outcome.recipients_at_fault else Least(F("stalls") + 1, MOST_STALLS),
        not_before=Now() + timedelta(seconds=wait),
        enqueued_at=None,
    )


def _wait(batch: Batch, outcome: Refused) -> float:
    """Seconds until the next try: what the provider asked for, or doubling with jitter."""
    if outcome.recipients_at_fault:
        return 0.0
    if outcome.retry_after is not None:
        return outcome.retry_after
    return back_off(batch.stalls + 1)


def _why_to_pause(claim: Claim, outcome: Refused, transport: str) -> str:
    """The explanation for an operator when the whole send must stop; empty when the batch can simply be tried again."""
    if outcome.reason in {Reason.NOT_ALLOWED, Reason.NOT_ACCEPTABLE}:
        return refusal_explained(transport, outcome.message)
    if outcome.reason is not Reason.BAD_REQUEST:
        return ""
    if not outcome.recipients_at_fault:
        return refusal_explained(transport, f"it named no recipient: {outcome.message}")
    rounds = Batch.objects.filter(pk=claim.batch_id).values_list("rounds", flat=True).get()
    if rounds + 1 >= MAX_ROUNDS:
        return f"Batch {claim.batch_id} was refused {MAX_ROUNDS} times; the last time: {outcome.message}"
    return ""
