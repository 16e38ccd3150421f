"""Recording a request whose recipients had different outcomes: one batch for each outcome.

A batch has one status. So the members who share the first outcome keep the batch, and the others move to new batches of
the same send, in the transaction that records the outcome. This is the one place where submission writes deliveries; it
costs nothing while a request goes well (docs/adr/0009 tells why).
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import structlog
from django.db.models.functions import Now

from subscribers import suppression
from subscribers.models import Subscriber, Suppression
from subscribers.suppression import SuppressionRequest
from tasks.attempts import exclusions, moving
from tasks.database import row_locks
from tasks.database.durability import durable
from tasks.models import Attempt, Batch, Delivery, Send, evidence
from tasks.providers.base import Partial, Reason
from tasks.sends import control, wake_ups
from tasks.submission import disbelieved_refusals, giving_up, late_answers, outcome_groups, provider_trouble
from tasks.submission.claiming import Claim
from tasks.submission.outcome_groups import Group, Waits, groups_of, waiting_groups, without
from tasks.submission.retries import are_too_many, members_at, refusal_explained
from tasks.throttling import canary, mailbox_domains

log = structlog.get_logger(__name__)

_OPEN = (Batch.Status.SUBMITTING, Batch.Status.UNKNOWN)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answers:
    """What is to be recorded. `transport`: its name with the fingerprint."""

    claim: Claim
    #: Subscriber ids in the order of the request's recipients.
    members: tuple[int, ...]
    outcome: Partial
    transport: str
    #: Why those whom the server refused are not believed to be at fault; empty = they are.
    doubt: str


def record_partial(claim: Claim, members: tuple[int, ...], outcome: Partial, *, transport: str) -> None:
    """Settle the attempt; safe to repeat. `members`: subscriber ids in the order of the request's recipients.

    `transport`: its name with the fingerprint. Raises `moving.MembersMissingError` and the database's errors.
    """
    doubt = disbelieved_refusals.why(claim, members, outcome, transport=transport)
    answers = _Answers(claim=claim, members=members, outcome=outcome, transport=transport, doubt=doubt)
    given_up = giving_up.has_waited_for_days(claim.send_id)
    lost = {domain for domain in outcome.put_off_domains if given_up and giving_up.has_said_no_for_long(domain)}
    waits = Waits(by_domain=_throttle_domains(claim, outcome), lost=lost, given_up=given_up)
    with durable():
        send_status = row_locks.send_status(claim.send_id, to_change=bool(doubt) or claim.is_canary)
        late_answers.lock_batches(claim, members)
        batch = (
            Batch.objects.select_for_update(of=("self",))
            .filter(pk=claim.batch_id, attempt=claim.attempt, status__in=_OPEN)
            .first()
        )
        if batch is None:
            late_answers.prove_accepted_ones(claim, members, outcome, _fact(outcome))
            return
        if late_answers.is_on_record(claim):
            return
        pending = _divide(answers, batch, waits, send_status)
        if claim.is_canary and not doubt and outcome_groups.is_each_answered(outcome):
            canary.let_the_others_go(claim.send_id)
        if doubt:
            control.pause(claim.send_id, doubt)
    _apply_to_provider_and_send(claim, outcome, transport)
    for domain in sorted(lost):
        giving_up.give_up(claim.send_id, domain, words=outcome.put_off_domains[domain].words)
    for batch_id, wait in pending:
        wake_ups.wake_later(batch_id, wait)


def _divide(answers: _Answers, batch: Batch, waits: Waits, send_status: str) -> list[tuple[int, float]]:
    """Give each outcome its batch; ids of those who wait, each with the seconds until a worker is to look at it."""
    claim, members, outcome = answers.claim, answers.members, answers.outcome
    later = Batch.Status.CANCELLED if send_status == Send.Status.CANCELLED else Batch.Status.PENDING
    pending: list[tuple[int, float]] = []
    # Whoever resumes a send that was paused before has not been told of this.
    _settle_attempt(claim, outcome, pauses=bool(answers.doubt) and send_status == Send.Status.SENDING)
    disbelieved = disbelieved_refusals.positions(outcome) if answers.doubt else frozenset[int]()
    failed, groups = groups_of(batch, members, outcome, later=later, given_up=waits.given_up, disbelieved=disbelieved)
    waiting_failed, waiting = waiting_groups(batch, members, outcome, waits, later=later)
    proven = _proven_meanwhile(batch, members)
    failed, groups = without(proven, failed | waiting_failed, groups + waiting)
    exclusions.exclude(batch.pk, send_id=claim.send_id, kind="failed", reasons=failed, attempt=claim.number)
    if not groups:
        Batch.objects.filter(pk=batch.pk).update(status=Batch.Status.FAILED)
    for position, group in enumerate(groups):
        batch_id = _split_off(claim, batch, group, answers.transport) if position else _keep(batch, group)
        if group.status == Batch.Status.PENDING:
            pending.append((batch_id, group.look_in or group.wait))
    if not answers.doubt:
        _suppress(claim, members, outcome)
    if proven:
        # An earlier request may have proved to have reached them as well, while this one was under way.
        late_answers.prove(claim, proven.intersection(members_at(members, outcome.accepted)), by={"kind": "answer"})
    return pending


def _settle_attempt(claim: Claim, outcome: Partial, *, pauses: bool) -> None:
    attempt_outcome = Attempt.Outcome.REFUSED
    if outcome.accepted:
        attempt_outcome = Attempt.Outcome.ACCEPTED
    elif outcome.unknown:
        attempt_outcome = Attempt.Outcome.UNKNOWN
    fact = _fact(outcome) | ({disbelieved_refusals.FACT: True} if pauses else {})
    Attempt.objects.filter(pk=claim.attempt).update(
        outcome=attempt_outcome, finished_at=Now(), evidence=evidence.with_fact(fact)
    )


def _fact(outcome: Partial) -> dict[str, object]:
    return {
        "kind": "answers",
        "accepted": len(outcome.accepted),
        "refused": len(outcome.refused),
        "put_off": len(outcome.put_off),
        "not_tried": len(outcome.not_tried),
        "unknown": len(outcome.unknown),
        "said": outcome.message[:300],
    }


def _throttle_domains(claim: Claim, outcome: Partial) -> dict[str, float]:
    """Seconds for which each domain is waited for that put its readers off; safe to repeat."""
    if claim.mailbox_domain and claim.mailbox_domain not in outcome.put_off_domains:
        if outcome.accepted:
            mailbox_domains.recovered(claim.mailbox_domain)
        elif outcome.put_off:
            # Too few to tell by themselves, but nobody has fared better.
            mailbox_domains.prolong(claim.mailbox_domain, why=next(iter(outcome.put_off.values())))
    return {
        domain: mailbox_domains.throttle(domain, why=one.words, anew=one.some_accepted)
        for domain, one in outcome.put_off_domains.items()
    }


def _suppress(claim: Claim, members: tuple[int, ...], outcome: Partial) -> None:
    """Never mail those again whose mailbox does not exist; nobody where so many of a request have none."""
    ids = members_at(members, outcome.no_mailbox)
    if not ids:
        return
    if are_too_many(len(ids), of=len(members)):
        log.warning("mailboxes_not_believed_missing", send=claim.send_id, batch=claim.batch_id, readers=len(ids))
        return
    addresses = dict(Subscriber.objects.filter(pk__in=ids).values_list("pk", "email"))
    words = {members[at]: text for at, text in outcome.refused.items() if at < len(members)}
    suppression.suppress_many(
        SuppressionRequest(address=addresses[one], reason=Suppression.Reason.HARD_BOUNCE, detail=words.get(one, ""))
        for one in ids
        if one in addresses
    )


def _proven_meanwhile(batch: Batch, members: tuple[int, ...]) -> set[int]:
    """Who left the batch while it was taken for unknown, sent again, or under way: their mail had proved to be accepted."""
    elsewhere = Delivery.objects.filter(send_id=batch.send_id, subscriber_id__in=members).exclude(batch_id=batch.pk)
    return set(elsewhere.values_list("subscriber_id", flat=True))


def _keep(batch: Batch, group: Group) -> int:
    """The first group keeps the batch."""
    Batch.objects.filter(pk=batch.pk).update(
        status=group.status,
        mailbox_domain=batch.mailbox_domain if group.mailbox_domain is None else group.mailbox_domain,
        rounds=group.rounds,
        stalls=group.stalls,
        not_before=Now() + timedelta(seconds=group.wait),
        enqueued_at=None,
    )
    return batch.pk


def _split_off(claim: Claim, batch: Batch, group: Group, transport: str) -> int:
    """A new batch for a group; an unknown one gets an attempt of its own, for reconciliation to decide."""
    attempt = uuid4() if group.status == Batch.Status.UNKNOWN else None
    new = moving.move_to_new_batch(
        batch.pk,
        claim.send_id,
        group.members,
        status=group.status,
        attempt=attempt,
        rounds=group.rounds,
        stalls=group.stalls,
        wait=group.wait,
        mailbox_domain=group.mailbox_domain,
    )
    if attempt is not None:
        Attempt.objects.create(
            id=attempt,
            batch_id=new,
            number=claim.number,
            size=len(group.members),
            transport=transport,
            outcome=Attempt.Outcome.UNKNOWN,
            finished_at=Now(),
            fenced_at=Attempt.objects.values_list("fenced_at", flat=True).get(pk=claim.attempt),
            evidence=[{"kind": "divided", "from_attempt": str(claim.attempt), "from_batch": batch.pk}],
        )
    return new


def _apply_to_provider_and_send(claim: Claim, outcome: Partial, transport: str) -> None:
    if outcome.accepted:
        provider_trouble.trust_again(transport)
    elif outcome.unknown:
        provider_trouble.count_unknown(transport)
    if outcome.reason in {Reason.NOT_ALLOWED, Reason.NOT_ACCEPTABLE}:
        control.pause(claim.send_id, refusal_explained(transport, outcome.message))
