"""Recording a request whose recipients had different outcomes: one batch for each outcome.

A batch has one status. So the members who share the first outcome keep the batch, and the others move to new batches of
the same send, in the transaction that records the outcome. This is the one place where submission writes deliveries; it
costs nothing while a request goes well (docs/adr/0009 tells why).
"""

from collections.abc import Mapping
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
from tasks.submission import provider_trouble
from tasks.submission.claiming import Claim
from tasks.submission.retries import (
    BELIEVED,
    GIVE_UP_AFTER,
    MANY_PUT_OFF,
    MAX_ROUNDS,
    MOST_STALLS,
    NO_MAILBOX_SHARE,
    members_at,
    refusal_explained,
)
from tasks.throttling.back_off import back_off

log = structlog.get_logger(__name__)

#: Seconds of the longest wait before a reader whose server said "later" is tried again: with MAX_ROUNDS some nine hours.
PUT_OFF_LIMIT = 3600.0

_OPEN = (Batch.Status.SUBMITTING, Batch.Status.UNKNOWN)


@dataclass(kw_only=True, slots=True)
class _Group:
    """Members who share an outcome, and what becomes of their batch. `wait` in seconds."""

    members: tuple[int, ...]
    status: Batch.Status
    rounds: int
    stalls: int = 0
    wait: float = 0.0


def record_partial(claim: Claim, members: tuple[int, ...], outcome: Partial, *, transport: str) -> None:
    """Settle the attempt; safe to repeat. `members`: subscriber ids in the order of the request's recipients.

    `transport`: its name with the fingerprint. Raises `moving.MembersMissingError` and the database's errors.
    """
    pending: list[tuple[int, float]] = []
    with durable():
        cancelled = row_locks.send_status(claim.send_id) == Send.Status.CANCELLED
        batch = (
            Batch.objects.select_for_update(of=("self",))
            .filter(pk=claim.batch_id, attempt=claim.attempt, status__in=_OPEN)
            .first()
        )
        if not _settle_attempt(claim, outcome) or batch is None:
            return
        may_fail = _may_fail(claim.send_id, batch, outcome)
        failed, groups = _groups(batch, members, outcome, cancelled=cancelled, may_fail=may_fail)
        failed, groups = _without(_proven_meanwhile(batch, members), failed, groups)
        exclusions.exclude(batch.pk, send_id=claim.send_id, kind="failed", reasons=failed, attempt=claim.number)
        if not groups:
            Batch.objects.filter(pk=batch.pk).update(status=Batch.Status.FAILED)
        for position, group in enumerate(groups):
            batch_id = _split_off(claim, batch, group, transport) if position else _keep(batch, group)
            if group.status == Batch.Status.PENDING:
                pending.append((batch_id, group.wait))
        _suppress(claim, members, outcome)
    _apply_to_provider_and_send(claim, outcome, transport)
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


def _may_fail(send_id: int, batch: Batch, outcome: Partial) -> bool:
    """Whether those who are put off now have been so often enough."""
    if not outcome.put_off or batch.rounds + 1 < MAX_ROUNDS:
        return False
    given_up = Send.objects.filter(pk=send_id, prepared_at__lt=Now() - GIVE_UP_AFTER)
    return len(outcome.put_off) < MANY_PUT_OFF or given_up.exists()


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
    batch: Batch, members: tuple[int, ...], outcome: Partial, *, cancelled: bool, may_fail: bool
) -> tuple[dict[int, str], list[_Group]]:
    """Those who failed, each with why, and the groups in the order in which they may keep the batch."""
    failed = dict(outcome.refused)
    put_off: Mapping[int, str] = outcome.put_off
    if may_fail:
        failed |= put_off
        put_off = {}
    later = Batch.Status.CANCELLED if cancelled else Batch.Status.PENDING
    stalls, wait = _stalls_and_wait(batch, outcome)
    groups = [
        _Group(members=members_at(members, outcome.accepted), status=Batch.Status.SUBMITTED, rounds=batch.rounds),
        _Group(members=members_at(members, outcome.unknown), status=Batch.Status.UNKNOWN, rounds=batch.rounds),
        _Group(
            members=members_at(members, outcome.not_tried),
            status=later,
            rounds=batch.rounds,
            stalls=stalls,
            wait=wait,
        ),
        _Group(
            members=members_at(members, put_off),
            status=later,
            rounds=min(batch.rounds + 1, MOST_STALLS),
            wait=back_off(batch.rounds + 1, limit=PUT_OFF_LIMIT),
        ),
    ]
    reasons = {members[at]: message or "refused" for at, message in failed.items() if at < len(members)}
    return reasons, [group for group in groups if group.members]


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


def _keep(batch: Batch, group: _Group) -> int:
    """The first group keeps the batch."""
    Batch.objects.filter(pk=batch.pk).update(
        status=group.status,
        rounds=group.rounds,
        stalls=group.stalls,
        not_before=Now() + timedelta(seconds=group.wait),
        enqueued_at=None,
    )
    return batch.pk


def _split_off(claim: Claim, batch: Batch, group: _Group, transport: str) -> int:
    """A new batch for a group; an unknown one gets an attempt of its own, for reconciliation to decide."""
    attempt = uuid4() if group.status == Batch.Status.UNKNOWN else None
    new = moving.new_batch(
        batch.pk,
        size=len(group.members),
        status=group.status,
        attempt=attempt,
        rounds=group.rounds,
        stalls=group.stalls,
        wait=group.wait,
    )
    moving.move(group.members, send_id=claim.send_id, batch_id=batch.pk, to=new)
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
