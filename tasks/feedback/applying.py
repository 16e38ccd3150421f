"""One receipt becomes events, evidence, flags, suppressions and counters: once, whoever calls, however often.

One transaction. Locks are taken in the order that holds everywhere: the receipt, events by key, the send (only when an
attempt is unknown to us: it pauses), all batches concerned by id, deliveries, then subscriptions and suppressions.
Evidence comes before the flags: a reader is counted as delivered in a batch that is submitted by then. So two workers
never wait for each other in a circle; should they all the same, PostgreSQL ends one of them and it starts again.

Only events that are new have effects: a report that comes again does not suppress an address that a person has set
free in between.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from django.db import DatabaseError, OperationalError, connection, transaction
from psycopg import errors

from tasks.alarms.raising import raise_alarm
from tasks.attempts.proof import prove_accepted
from tasks.attempts.reader_proof import prove_readers
from tasks.database.statements import run
from tasks.feedback import foreign_events
from tasks.feedback.effects import carry_out
from tasks.feedback.engagement import acted_on, recount
from tasks.feedback.event_store import insert_new
from tasks.feedback.flags import Key, hear_probes, lock_batches, mark, marks_of, unknown_attempts
from tasks.feedback.late_events import attribute
from tasks.feedback.merged_readers import of_kept_readers
from tasks.models import Alarm
from tasks.providers import registry
from tasks.providers.events import Parsed, ReportedEvent, UnreadableBodyError
from tasks.throttling import deferrals

log = structlog.get_logger(__name__)

#: Tries after PostgreSQL ended one of two transactions that waited for each other.
TRIES = 4
ERROR_LENGTH = 500


#: The oldest that nobody is applying right now.
_NEXT = """
SELECT id FROM tasks_receipt WHERE applied_at IS NULL AND error = '' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
"""


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What one call did. All zero when the receipt was applied before, or another worker holds it."""

    #: Entries in the body that are events.
    events: int = 0
    #: Those that had not been stored before.
    new: int = 0
    #: Deliveries with a newly set bit, and those whose opens and clicks are now somebody else's.
    marked: int = 0
    #: Why some entries or the whole body could not be read.
    error: str = ""


def apply_receipt(receipt_id: int) -> Applied:
    """Apply a stored receipt; harmless when it was applied before, is being applied, or does not exist.

    A body that cannot be read at all stays unapplied with its error: nobody may believe in silence until a person has
    looked at it. Raises Django's database errors when nothing was applied and another call may succeed.
    """
    applied, new = _tried(receipt_id)
    try:
        deferrals.learn(new)
    except DatabaseError as error:
        # What was reported is kept; only how fast mail leaves hangs on it.
        log.warning("deferrals_not_counted", receipt=receipt_id, error=str(error))
    return applied


def _tried(receipt_id: int) -> tuple[Applied, list[ReportedEvent]]:
    for _ in range(TRIES - 1):
        try:
            return _apply(receipt_id)
        except OperationalError as error:
            if not isinstance(error.__cause__, errors.DeadlockDetected) or not transaction.get_autocommit():
                raise
            log.warning("receipt_tried_again", receipt=receipt_id, error=str(error))
    return _apply(receipt_id)


def apply_oldest_waiting() -> bool:
    """Apply the oldest waiting receipt; False when there is none. Its failure is its own: it keeps waiting."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(_NEXT)
            row = cursor.fetchone()
        if row is None:
            return False
        apply_receipt(row[0])
    except Exception:
        log.exception("receipt_not_applied")
        return False
    return True


@transaction.atomic
def _apply(receipt_id: int) -> tuple[Applied, list[ReportedEvent]]:
    """What was done, and the events that are new."""
    held = run(
        "SELECT provider, body, received_at FROM tasks_receipt WHERE id = %s AND applied_at IS NULL FOR UPDATE SKIP LOCKED",
        (receipt_id,),
    )
    if not held:
        return Applied(), []
    ((name, body, received_at),) = held
    try:
        reported, problems = _parse(name, bytes(body))
    except UnreadableBodyError as unreadable:
        return _refuse(receipt_id, str(unreadable)), []
    new, marked, foreign = _apply_events(receipt_id, reported, received_at)
    error = _in_one_line(problems)
    run("UPDATE tasks_receipt SET applied_at = now(), error = %s WHERE id = %s", (error, receipt_id))
    if foreign:
        foreign_events.count(name, foreign)
    if error:
        log.error("receipt_partly_unreadable", receipt=receipt_id, error=error)
    return Applied(events=len(reported), new=len(new), marked=marked, error=error), new


def _parse(name: str, body: bytes) -> Parsed:
    """The body in the words of the provider that posted it."""
    known = registry.provider(name)
    reader = (known.webhook or known.mail_reports) if known else None
    if reader is None:
        raise UnreadableBodyError(f"there is no provider {name!r} here that reports anything")
    return reader.parse(body)


def _apply_events(
    receipt_id: int, reported: list[ReportedEvent], received_at: datetime
) -> tuple[list[ReportedEvent], int, int]:
    lacking_here = set(unknown_attempts({event.attempt for event in reported if event.attempt is not None}))
    ours = foreign_events.without_foreign(reported, lacking_here)
    if len(ours) < len(reported):
        log.warning("foreign_events_ignored", receipt=receipt_id, events=len(reported) - len(ours))
    ours = of_kept_readers(ours)
    new = insert_new(attribute(ours, received_at=received_at), received_at=received_at)
    named = {event.attempt: event.send_id for event in ours if event.attempt is not None}
    lacking = {attempt: send_id for attempt, send_id in named.items() if attempt in lacking_here}
    reached = _reached(ours)
    for attempt in reached.values():
        named.pop(attempt, None)
    evidence = {"kind": "event", "receipt": receipt_id}
    if lacking:
        prove_accepted(lacking, by=evidence)
    marks, acted = marks_of(new), acted_on(new)
    if marks or named or acted or reached:
        lock_batches(_without_known_attempt(new, lacking) | acted | reached.keys(), named)
    if named:
        prove_accepted(named, by=evidence)
    prove_readers(reached, by=evidence)
    marked, to_judge = mark(marks)
    if acted or to_judge:
        marked += recount(acted | to_judge)
    hear_probes(new)
    carry_out(new)
    return new, marked, len(reported) - len(ours)


def _reached(events: list[ReportedEvent]) -> dict[Key, UUID]:
    """Deliveries of which something was reported that says nothing of the others of their attempt."""
    return {
        (event.send_id, event.subscriber_id): event.attempt
        for event in events
        if event.of_recipient
        and event.attempt is not None
        and event.send_id is not None
        and event.subscriber_id is not None
    }


def _without_known_attempt(events: list[ReportedEvent], lacking: Mapping[UUID, int | None]) -> set[Key]:
    """Deliveries whose batch no attempt tells: looking up the others too would cost a fifth of the whole."""
    return {
        (event.send_id, event.subscriber_id)
        for event in events
        if (event.attempt is None or event.attempt in lacking)
        and event.send_id is not None
        and event.subscriber_id is not None
    }


def _refuse(receipt_id: int, error: str) -> Applied:
    run("UPDATE tasks_receipt SET error = %s WHERE id = %s", (error[:ERROR_LENGTH], receipt_id))
    raise_alarm(Alarm.Code.RECEIPT_UNREADABLE, f"Receipt {receipt_id} was signed but cannot be read: {error}")
    return Applied(error=error)


def _in_one_line(problems: list[str]) -> str:
    if not problems:
        return ""
    more = f"{len(problems)} entries are not events: " if len(problems) > 1 else ""
    return (more + "; ".join(problems[:5]))[:ERROR_LENGTH]
