"""Recording a request whose recipients had different outcomes: one batch for each outcome.

A batch has one status. So the members who share the first outcome keep the batch, and the others move to new batches of
the same send, in the transaction that records the outcome. This is the one place where submission writes deliveries; it
costs nothing while a request goes well (docs/adr/0009 tells why).
"""

from collections.abc import Collection, Iterator, Mapping
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
from tasks.submission import giving_up, provider_trouble
from tasks.submission.claiming import Claim
from tasks.submission.retries import (
    BELIEVED,
    MANY_PUT_OFF,
    MAX_ROUNDS,
    MOST_STALLS,
    NO_MAILBOX_SHARE,
    members_at,
    refusal_explained,
)
from tasks.throttling import mailbox_domains
from tasks.throttling.back_off import back_off

log = structlog.get_logger(__name__)

#: Seconds of the longest wait before a reader whose server said "later" is tried again: with MAX_ROUNDS some nine hours.
PUT_OFF_LIMIT = 3600.0

#: A connection that ends at three in a row is taken for one that would end at everybody (`tasks.providers.smtp.posting`).
HUNG_UP_AT_TOGETHER = 2

_OPEN = (Batch.Status.SUBMITTING, Batch.Status.UNKNOWN)


@dataclass(kw_only=True, slots=True)
class _Group:
    """Members who share an outcome, and what becomes of their batch. `wait` in seconds."""

    members: tuple[int, ...]
    status: Batch.Status
    rounds: int
    stalls: int = 0
    wait: float = 0.0
    #: Whose readers they all are, who wait for it; None = as those of the batch they come from.
    mailbox_domain: str | None = None
    #: Seconds until a worker is to look at it, if not `wait`.
    look_in: float = 0.0


def record_partial(claim: Claim, members: tuple[int, ...], outcome: Partial, *, transport: str) -> None:
    """Settle the attempt; safe to repeat. `members`: subscriber ids in the order of the request's recipients.

    `transport`: its name with the fingerprint. Raises `moving.MembersMissingError` and the database's errors.
    """
    pending: list[tuple[int, float]] = []
    domain_waits = _throttle_domains(claim, outcome)
    with durable():
        cancelled = row_locks.send_status(claim.send_id) == Send.Status.CANCELLED
        batch = (
            Batch.objects.select_for_update(of=("self",))
            .filter(pk=claim.batch_id, attempt=claim.attempt, status__in=_OPEN)
            .first()
        )
        if not _settle_attempt(claim, outcome) or batch is None:
            return
        given_up = giving_up.has_waited_for_days(claim.send_id)
        lost = {domain for domain in outcome.put_off_domains if given_up and giving_up.has_said_no_for_long(domain)}
        later = Batch.Status.CANCELLED if cancelled else Batch.Status.PENDING
        failed, groups = _groups(batch, members, outcome, later=later, given_up=given_up)
        waiting_failed, waiting = _waiting_groups(batch, members, outcome, domain_waits, later=later, lost=lost)
        failed, groups = _without(_proven_meanwhile(batch, members), failed | waiting_failed, groups + waiting)
        exclusions.exclude(batch.pk, send_id=claim.send_id, kind="failed", reasons=failed, attempt=claim.number)
        if not groups:
            Batch.objects.filter(pk=batch.pk).update(status=Batch.Status.FAILED)
        for position, group in enumerate(groups):
            batch_id = _split_off(claim, batch, group, transport) if position else _keep(batch, group)
            if group.status == Batch.Status.PENDING:
                pending.append((batch_id, group.look_in or group.wait))
        _suppress(claim, members, outcome)
    _apply_to_provider_and_send(claim, outcome, transport)
    for domain in sorted(lost):
        giving_up.give_up(claim.send_id, domain, words=outcome.put_off_domains[domain].words)
    for batch_id, wait in pending:
        wake_ups.wake_later(batch_id, wait)


def _settle_attempt(claim: Claim, outcome: Partial) -> bool:
    """False when this answer is on record already."""
    attempt_outcome = Attempt.Outcome.REFUSED
    if outcome.accepted:
        attempt_outcome = Attempt.Outcome.ACCEPTED
    elif outcome.unknown:
        attempt_outcome = Attempt.Outcome.UNKNOWN
    fact = {
        "kind": "answers",
        "accepted": len(outcome.accepted),
        "refused": len(outcome.refused),
        "put_off": len(outcome.put_off),
        "not_tried": len(outcome.not_tried),
        "unknown": len(outcome.unknown),
        "said": outcome.message[:300],
    }
    attempt = Attempt.objects.select_for_update(of=("self",)).get(pk=claim.attempt)
    if any(known.get("kind") == "answers" for known in attempt.evidence):
        return False
    Attempt.objects.filter(pk=claim.attempt).update(
        outcome=attempt_outcome, finished_at=Now(), evidence=evidence.with_fact(fact)
    )
    return True


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
    if len(ids) > max(BELIEVED, NO_MAILBOX_SHARE * len(members)):
        log.warning("mailboxes_not_believed_missing", send=claim.send_id, batch=claim.batch_id, readers=len(ids))
        return
    addresses = dict(Subscriber.objects.filter(pk__in=ids).values_list("pk", "email"))
    words = {members[at]: text for at, text in outcome.refused.items() if at < len(members)}
    suppression.suppress_many(
        SuppressionRequest(address=addresses[one], reason=Suppression.Reason.HARD_BOUNCE, detail=words.get(one, ""))
        for one in ids
        if one in addresses
    )


def _stalls_and_wait(batch: Batch, outcome: Partial) -> tuple[int, float]:
    """Requests in a row without any progress, this one included, and how long those wait who were not tried.

    A batch that gets further waits no longer each time: its readers are fewer each time.
    """
    stalls = 0 if outcome.accepted or outcome.refused or outcome.put_off else min(batch.stalls + 1, MOST_STALLS)
    if outcome.retry_after is not None:
        return stalls, outcome.retry_after
    return stalls, 0.0 if not stalls and outcome.reason is not Reason.TOO_MANY else back_off(max(stalls, 1))


def _groups(
    batch: Batch, members: tuple[int, ...], outcome: Partial, *, later: Batch.Status, given_up: bool
) -> tuple[dict[int, str], list[_Group]]:
    """Those who failed, each with why, and the groups in the order in which they may keep the batch.

    Without those who wait for their mailbox provider. `later`: the status of whoever is to be tried again.
    """
    wait_for_theirs = frozenset[int]().union(*(one.members for one in outcome.put_off_domains.values()))
    put_off = {at: words for at, words in outcome.put_off.items() if at not in wait_for_theirs}
    failed = dict(outcome.refused)
    if batch.rounds + 1 >= MAX_ROUNDS and (len(put_off) < MANY_PUT_OFF or given_up):
        failed |= put_off
        put_off = {}
    stalls, wait = _stalls_and_wait(batch, outcome)
    groups = [
        _Group(members=members_at(members, outcome.accepted), status=Batch.Status.SUBMITTED, rounds=batch.rounds),
        _Group(members=members_at(members, outcome.unknown), status=Batch.Status.UNKNOWN, rounds=batch.rounds),
        _Group(
            members=members_at(members, outcome.not_tried - wait_for_theirs),
            status=later,
            rounds=batch.rounds,
            stalls=stalls,
            wait=wait,
        ),
        *(
            _Group(
                members=members_at(members, together),
                status=later,
                rounds=min(batch.rounds + 1, MOST_STALLS),
                wait=back_off(batch.rounds + 1, limit=PUT_OFF_LIMIT),
            )
            for together in _put_off_together(put_off, outcome.hung_up_at)
        ),
    ]
    reasons = {members[at]: message or "refused" for at, message in failed.items() if at < len(members)}
    return reasons, [group for group in groups if group.members]


def _put_off_together(put_off: Collection[int], hung_up_at: Collection[int]) -> Iterator[list[int]]:
    """Positions that share a batch: of those at whom the connection ended so few that their request tells them from a server that is away."""
    yield [at for at in put_off if at not in hung_up_at]
    hung_up = sorted(at for at in put_off if at in hung_up_at)
    for first in range(0, len(hung_up), HUNG_UP_AT_TOGETHER):
        yield hung_up[first : first + HUNG_UP_AT_TOGETHER]


def _proven_meanwhile(batch: Batch, members: tuple[int, ...]) -> set[int]:
    """Who left the batch while it was taken for unknown: a report had proven that their mail was accepted."""
    if batch.status != Batch.Status.UNKNOWN:
        return set()
    elsewhere = Delivery.objects.filter(send_id=batch.send_id, subscriber_id__in=members).exclude(batch_id=batch.pk)
    return set(elsewhere.values_list("subscriber_id", flat=True))


def _without(proven: set[int], failed: dict[int, str], groups: list[_Group]) -> tuple[dict[int, str], list[_Group]]:
    """The same without them."""
    if proven:
        for group in groups:
            group.members = tuple(member for member in group.members if member not in proven)
        failed = {member: why for member, why in failed.items() if member not in proven}
    return failed, [group for group in groups if group.members]


def _waiting_groups(
    batch: Batch,
    members: tuple[int, ...],
    outcome: Partial,
    waits: Mapping[str, float],
    *,
    later: Batch.Status,
    lost: Collection[str],
) -> tuple[dict[int, str], list[_Group]]:
    """The same for those who wait for their mailbox provider: a batch for each domain, which is due when its wait is over.

    `lost`: domains whose readers fail, as a mail server would give up too, however many requests that were.
    """
    failed: dict[int, str] = {}
    groups = []
    for domain, one in outcome.put_off_domains.items():
        if domain in lost:
            failed |= dict.fromkeys(members_at(members, one.members), giving_up.why(domain, one.words))
        elif theirs := members_at(members, one.members):
            groups.append(
                _Group(
                    members=theirs,
                    status=later,
                    rounds=batch.rounds,
                    mailbox_domain=domain,
                    look_in=waits[domain],
                )
            )
    return failed, groups


def _keep(batch: Batch, group: _Group) -> int:
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


def _split_off(claim: Claim, batch: Batch, group: _Group, transport: str) -> int:
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
