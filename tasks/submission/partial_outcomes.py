"""Recording a request whose recipients had different outcomes: one batch for each outcome.

A batch has one status. So the members who share the first outcome keep the batch, and the others move to new batches of
the same send, in the transaction that records the outcome. This is the one place where submission writes deliveries; it
costs nothing while a request goes well (docs/adr/0009 tells why).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import connection
from django.db.models.functions import Now

from newsdesk.core.errors import BrokenPromiseError
from tasks.attempts import exclusions
from tasks.database import row_locks
from tasks.database.durability import durable
from tasks.models import Attempt, Batch, Send, evidence
from tasks.models.delivery import COUNTED, seen_counts_sql
from tasks.providers.base import Partial, Reason
from tasks.sends import control, wake_ups
from tasks.submission import provider_trouble
from tasks.submission.claiming import Claim
from tasks.submission.retries import MAX_ROUNDS, members_at, refusal_explained
from tasks.throttling.back_off import back_off

#: Seconds of the longest wait before a reader whose server said "later" is tried again: with MAX_ROUNDS some nine hours.
PUT_OFF_LIMIT = 3600.0

_OPEN = (Batch.Status.SUBMITTING, Batch.Status.UNKNOWN)
_NEW_BATCH = """
INSERT INTO tasks_batch (send_id, variant_id, tracked, size, status, attempt, attempts, lost_attempts, rounds, not_before,
                         claimed_at, claimed_by, excluded, failed,
                         delivered, bounced, complained, unsubscribed, opened, clicked)
SELECT send_id, variant_id, tracked, %(size)s, %(status)s, %(attempt)s, attempts, lost_attempts, %(rounds)s,
       statement_timestamp() + make_interval(secs => %(wait)s), claimed_at, claimed_by, 0, 0, 0, 0, 0, 0, 0, 0
  FROM tasks_batch WHERE id = %(batch)s
RETURNING id
"""
_COUNTS = [flag.name.lower() for flag in COUNTED]
#: What readers did already (an unsubscribe through an earlier message whose outcome is unknown) moves with them.
_MOVE = f"""
WITH moved AS (
    UPDATE tasks_delivery SET batch_id = %(new)s
     WHERE send_id = %(send)s AND batch_id = %(batch)s AND subscriber_id = ANY(%(members)s)
    RETURNING seen
), total AS (
    SELECT count(*) AS members, {seen_counts_sql()} FROM moved
), counted AS (
    UPDATE tasks_batch b SET
        size = b.size - CASE WHEN b.id = %(batch)s THEN total.members ELSE 0 END,
        {", ".join(f"{count} = b.{count} + sign * total.{count}" for count in _COUNTS)}
      FROM total, (VALUES (%(batch)s, -1), (%(new)s, 1)) AS side(id, sign) WHERE b.id = side.id
)
SELECT members FROM total
"""  # noqa: S608 - made of constants


class MembersMissingError(BrokenPromiseError):
    """A batch has not the members its request had; nothing of the outcome was written."""


@dataclass(kw_only=True, slots=True)
class _Group:
    """Members who share an outcome, and what becomes of their batch. `wait` in seconds."""

    members: tuple[int, ...]
    status: Batch.Status
    rounds: int
    wait: float = 0.0


def record_partial(claim: Claim, members: tuple[int, ...], outcome: Partial, *, transport: str) -> None:
    """Settle the attempt; safe to repeat. `members`: subscriber ids in the order of the request's recipients.

    `transport`: its name with the fingerprint. Raises MembersMissingError and the database's errors.
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
        failed, groups = _groups(batch, members, outcome, cancelled=cancelled)
        exclusions.exclude(batch.pk, send_id=claim.send_id, kind="failed", reasons=failed, attempt=claim.number)
        if not groups:
            Batch.objects.filter(pk=batch.pk).update(status=Batch.Status.FAILED)
        for position, group in enumerate(groups):
            batch_id = _split_off(claim, batch, group, transport) if position else _keep(batch, group)
            if group.status == Batch.Status.PENDING:
                pending.append((batch_id, group.wait))
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


def _groups(
    batch: Batch, members: tuple[int, ...], outcome: Partial, *, cancelled: bool
) -> tuple[dict[int, str], list[_Group]]:
    """Those who failed, each with why, and the groups in the order in which they may keep the batch."""
    failed = dict(outcome.refused)
    put_off: Mapping[int, str] = outcome.put_off
    if batch.rounds + 1 >= MAX_ROUNDS:
        failed |= put_off
        put_off = {}
    later = Batch.Status.CANCELLED if cancelled else Batch.Status.PENDING
    wait = back_off(batch.attempts) if outcome.retry_after is None else outcome.retry_after
    groups = [
        _Group(members=members_at(members, outcome.accepted), status=Batch.Status.SUBMITTED, rounds=batch.rounds),
        _Group(members=members_at(members, outcome.unknown), status=Batch.Status.UNKNOWN, rounds=batch.rounds),
        _Group(members=members_at(members, outcome.not_tried), status=later, rounds=batch.rounds, wait=wait),
        _Group(
            members=members_at(members, put_off),
            status=later,
            rounds=batch.rounds + 1,
            wait=back_off(batch.rounds + 1, limit=PUT_OFF_LIMIT),
        ),
    ]
    reasons = {members[at]: message or "refused" for at, message in failed.items() if at < len(members)}
    return reasons, [group for group in groups if group.members]


def _keep(batch: Batch, group: _Group) -> int:
    """The first group keeps the batch."""
    Batch.objects.filter(pk=batch.pk).update(
        status=group.status, rounds=group.rounds, not_before=Now() + timedelta(seconds=group.wait), enqueued_at=None
    )
    return batch.pk


def _split_off(claim: Claim, batch: Batch, group: _Group, transport: str) -> int:
    """A new batch for a group; an unknown one gets an attempt of its own, for reconciliation to decide."""
    attempt = uuid4() if group.status == Batch.Status.UNKNOWN else None
    values: dict[str, Any] = {
        "batch": batch.pk,
        "send": claim.send_id,
        "members": list(group.members),
        "size": len(group.members),
        "status": group.status.value,
        "attempt": attempt,
        "rounds": group.rounds,
        "wait": group.wait,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEW_BATCH, values)
        (new,) = cursor.fetchone()
        cursor.execute(_MOVE, {**values, "new": new})
        (moved,) = cursor.fetchone()
    if moved != len(group.members):
        raise MembersMissingError(f"batch {batch.pk}: {len(group.members)} members were to be moved, {moved} were")
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
    return int(new)


def _apply_to_provider_and_send(claim: Claim, outcome: Partial, transport: str) -> None:
    if outcome.accepted:
        provider_trouble.trust_again(transport)
    elif outcome.unknown:
        provider_trouble.count_unknown(transport)
    if outcome.reason in {Reason.NOT_ALLOWED, Reason.NOT_ACCEPTABLE}:
        control.pause(claim.send_id, refusal_explained(transport, outcome.message))
