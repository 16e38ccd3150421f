"""Receipts become events, evidence, flags, suppressions and counters: once, whoever calls, however often.

One transaction for several receipts, whose events are dealt with as if they had come in one. Locks are taken in the order that holds
everywhere: the receipts by id, events by key, the sends (only when an attempt is unknown to us: one may pause), all batches concerned by id,
deliveries, then subscriptions and suppressions. Evidence comes before the flags: a reader is counted as delivered in a batch that is
submitted by then. So two workers never wait for each other in a circle; should they all the same, PostgreSQL ends one of them and it
starts again.

Only events that are new have effects: a report that comes again does not suppress an address that a person has set
free in between.
"""

import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import structlog
from django.db import DatabaseError, OperationalError, connection, transaction
from psycopg import errors

from tasks.attempts.proof import prove_accepted
from tasks.attempts.reader_proof import prove_readers
from tasks.database.statements import run
from tasks.feedback import foreign_events, taking, unmatched_reports, unreadable_receipts
from tasks.feedback.effects import carry_out
from tasks.feedback.engagement import acted_on, recount
from tasks.feedback.event_store import insert_new
from tasks.feedback.flags import Key, hear_probes, known_attempts, lock_batches, mark, marks_of
from tasks.feedback.late_events import attribute
from tasks.feedback.merged_readers import of_kept_readers
from tasks.providers.events import ReportedEvent
from tasks.throttling import deferrals

log = structlog.get_logger(__name__)

#: Tries after PostgreSQL ended one of two transactions that waited for each other.
TRIES = 4
ERROR_LENGTH = 500
#: Seconds after which a worker that applies all that waits turns to something else.
SECONDS = 5.0

_DONE = """
UPDATE tasks_receipt t SET applied_at = now(), error = r.error FROM unnest(%b::bigint[], %b::text[]) AS r(id, error) WHERE t.id = r.id
"""


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What one call did. All zero when the receipts were applied before, or another worker holds them."""

    #: Entries in the bodies that are events.
    events: int = 0
    #: Those that had not been stored before.
    new: int = 0
    #: Deliveries with a newly set bit, and those whose opens and clicks are now somebody else's.
    marked: int = 0
    #: Why some entries or the whole body could not be read; of several receipts the first such reason.
    error: str = ""


def apply_receipt(receipt_id: int) -> Applied:
    """Apply a stored receipt; harmless when it was applied before, is being applied, or does not exist.

    A body that cannot be read at all stays unapplied with its error: nobody may believe in silence until a person has
    settled it (`unreadable_receipts`). Raises the database's errors when nothing was applied and another call may succeed.
    """
    return _apply_together([receipt_id])


def apply_waiting() -> bool:
    """Apply the oldest receipts that wait, several at once; False when there are none, or the database is away.

    If they fail together each is tried alone; the failure of one is its own: it keeps waiting, and the others go on.
    """
    receipt_ids: list[int] = []
    try:
        receipt_ids = taking.waiting()
        if receipt_ids:
            _apply_together(receipt_ids)
    except Exception as error:
        if not receipt_ids or not connection.is_usable():
            log.exception("receipts_not_applied", receipts=receipt_ids)
            return False
        if len(receipt_ids) > 1:
            log.warning("receipts_tried_alone", receipts=receipt_ids, error=str(error))
        return all(_apply_or_set_apart(receipt_id) for receipt_id in receipt_ids)
    return bool(receipt_ids)


def apply_all_waiting(*, seconds: float = SECONDS) -> bool:
    """Apply receipts until none waits, or for so many seconds; whether some may be left."""
    until = time.monotonic() + seconds
    while apply_waiting():
        if time.monotonic() > until:
            return True
    return False


def _apply_or_set_apart(receipt_id: int) -> bool:
    """False when it was the database that failed: what it lets down is nobody's fault."""
    try:
        apply_receipt(receipt_id)
    except Exception:
        log.exception("receipt_not_applied", receipt=receipt_id)
        if not connection.is_usable():
            return False
        taking.set_apart(receipt_id)
    return True


def _apply_together(receipt_ids: Sequence[int]) -> Applied:
    applied, new = _tried(receipt_ids)
    try:
        deferrals.learn(new)
    except DatabaseError as error:
        # What was reported is kept; only how fast mail leaves hangs on it.
        log.warning("deferrals_not_counted", receipts=receipt_ids, error=str(error))
    return applied


def _tried(receipt_ids: Sequence[int]) -> tuple[Applied, list[ReportedEvent]]:
    for _ in range(TRIES - 1):
        try:
            return _apply(receipt_ids)
        except OperationalError as error:
            if not isinstance(error.__cause__, errors.DeadlockDetected) or not transaction.get_autocommit():
                raise
            log.warning("receipt_tried_again", receipts=receipt_ids, error=str(error))
    return _apply(receipt_ids)


@transaction.atomic
def _apply(receipt_ids: Sequence[int]) -> tuple[Applied, list[ReportedEvent]]:
    """What was done, and the events that are new."""
    all_read = [taking.read(receipt) for receipt in taking.hold(receipt_ids)]
    for read in all_read:
        if read.unreadable:
            _refuse(read.receipt.id, read.unreadable)
    readable = [read for read in all_read if not read.unreadable]
    error = next((read.unreadable for read in all_read if read.unreadable), "")
    if not readable:
        return Applied(error=error), []
    told = _Told.by(readable)
    new, marked, foreign = _apply_events(told)
    problems = [_in_one_line(read.problems) for read in readable]
    run(_DONE, ([read.receipt.id for read in readable], problems))
    if foreign:
        foreign_events.count(readable[0].receipt.provider, foreign)
    for read, problem in zip(readable, problems, strict=True):
        if problem:
            log.error("receipt_partly_unreadable", receipt=read.receipt.id, error=problem)
    error = error or next(filter(None, problems), "")
    return Applied(events=len(told.events), new=len(new), marked=marked, error=error), new


class _Told(NamedTuple):
    """What stands in all of some receipts of one provider."""

    receipts: list[taking.Read]
    events: list[ReportedEvent]
    #: When those without a time were received, by their keys.
    undated: dict[bytes, datetime]

    @classmethod
    def by(cls, receipts: list[taking.Read]) -> "_Told":
        events = [event for read in receipts for event in read.events]
        undated: dict[bytes, datetime] = {}
        for read in receipts:
            for event in read.events:
                if event.at is None:
                    undated.setdefault(event.key, read.receipt.received_at)
        return cls(receipts, events, undated)

    def by_receipt(self, events: Sequence[ReportedEvent]) -> Iterator[tuple[dict[str, object], list[ReportedEvent]]]:
        """Some of these events as evidence, and which: the evidence names the first receipt that has them."""
        owner: dict[bytes, int] = {}
        for read in reversed(self.receipts):
            owner.update(dict.fromkeys([event.key for event in read.events], read.receipt.id))
        parts: dict[int, list[ReportedEvent]] = defaultdict(list)
        for event in events:
            parts[owner[event.key]].append(event)
        for receipt_id, part in sorted(parts.items()):
            yield {"kind": "event", "receipt": receipt_id}, part

    def prove(self, attempts: Collection[UUID], by: Sequence[ReportedEvent]) -> None:
        """Take the events as proof that those of these attempts were accepted which they name."""
        for evidence, part in self.by_receipt(by) if attempts else ():
            if named := {attempt: send_id for attempt, send_id in _named(part).items() if attempt in attempts}:
                prove_accepted(named, by=evidence)


def _apply_events(told: _Told) -> tuple[list[ReportedEvent], int, int]:
    """The new events, how many deliveries were marked, and how many events were not about our mail, or are not believed to be."""
    attempts = _named(told.events).keys()
    known = known_attempts(attempts)
    lacking_here = attempts - known.keys()
    ours = foreign_events.without_foreign(told.events, lacking_here)
    if len(ours) < len(told.events):
        receipts = [read.receipt.id for read in told.receipts]
        log.warning("foreign_events_ignored", receipts=receipts, events=len(told.events) - len(ours))
    ours = of_kept_readers(ours)
    new = insert_new(attribute(ours, undated=told.undated), undated=told.undated)
    disbelieved = unmatched_reports.judge(ours, lacking_here)
    if disbelieved.attempts:
        ours, new = (unmatched_reports.without_attempts(part, disbelieved.attempts) for part in (ours, new))
    reached = _reached(ours)
    named = set(_named(ours))
    lacking = named & lacking_here
    named -= set(reached.values())
    marks, acted = marks_of(new), acted_on(new)
    lock_batches(_without_known_attempt(new, lacking) | acted | reached.keys(), named)
    told.prove({attempt for attempt in named - lacking if not known[attempt]}, by=ours)
    for evidence, part in told.by_receipt(ours) if reached else ():
        prove_readers(_reached(part), by=evidence)
    marked, to_judge = mark(marks)
    if acted or to_judge:
        marked += recount(acted | to_judge)
    hear_probes(new)
    carry_out(new)
    return new, marked, len(told.events) - len(ours) + disbelieved.new


def _named(events: Collection[ReportedEvent]) -> dict[UUID, int | None]:
    """The attempts that are named, each with a send that is named with it.

    By their objects, of which there are few for thousands of events: a UUID is hashed and compared in Python.
    """
    distinct = {id(event.attempt): event for event in events}
    return {event.attempt: event.send_id for event in distinct.values() if event.attempt is not None}


def _reached(events: Collection[ReportedEvent]) -> dict[Key, UUID]:
    """Deliveries of which something was reported that says nothing of the others of their attempt."""
    return {
        (event.send_id, event.subscriber_id): event.attempt
        for event in events
        if event.of_recipient
        and event.attempt is not None
        and event.send_id is not None
        and event.subscriber_id is not None
    }


def _without_known_attempt(events: Collection[ReportedEvent], lacking: Collection[UUID]) -> set[Key]:
    """Deliveries whose batch no attempt tells: looking up the others too would cost a fifth of the whole."""
    return {
        (event.send_id, event.subscriber_id)
        for event in events
        if (event.attempt is None or (lacking and event.attempt in lacking))
        and event.send_id is not None
        and event.subscriber_id is not None
    }


def _refuse(receipt_id: int, error: str) -> None:
    run("UPDATE tasks_receipt SET error = %s WHERE id = %s", (error[:ERROR_LENGTH], receipt_id))
    unreadable_receipts.tell(receipt_id, error)


def _in_one_line(problems: list[str]) -> str:
    if not problems:
        return ""
    more = f"{len(problems)} entries are not events: " if len(problems) > 1 else ""
    return (more + "; ".join(problems[:5]))[:ERROR_LENGTH]
