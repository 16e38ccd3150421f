"""Reports that name a request which the database lacks: it has lost what it had committed, or somebody else sends with our ids.

One of a send does not stop it where the database agrees with the mark (`tasks.database.high_water`): then it knows of every request
that was made here. A second one does, whenever it comes, and so does the first where they disagree or nobody can say.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

import structlog

from tasks.attempts.proof import pause_for_lost_attempts
from tasks.database import high_water
from tasks.models import Send, UnmatchedReport
from tasks.providers.events import ReportedEvent

log = structlog.get_logger(__name__)

#: Different reports of a send that are believed whatever the mark says. No more of a send are remembered.
ENOUGH = 2


class Disbelieved(NamedTuple):
    """What was named by reports that are not believed."""

    attempts: set[UUID]
    #: Reports that had not been counted before.
    new: int


def judge(events: Iterable[ReportedEvent], lacking: Collection[UUID]) -> Disbelieved:
    """Pause the sends whose reports on these lacking attempts are believed, and tell of the others. Sends that are not here: neither.

    Call it inside a transaction that has stored the events and locked no send and no batch yet (docs/architecture.md, Lock order).
    Two that count at once wait for each other at the send. Raises the database's errors.
    """
    disbelieved = Disbelieved(set(), 0)
    reports = _by_send(events, lacking)
    if not reports:
        return disbelieved
    # Before the sends are locked, and nobody can claim: Redis may take its time.
    mark_agrees = _mark_agrees()
    sends = Send.objects.filter(pk__in=reports).order_by("pk").select_for_update(no_key=True)
    for send_id in list(sends.values_list("pk", flat=True)):
        attempts = reports[send_id]
        before = _remembered(send_id)
        new = _remember(send_id, attempts, before)
        if len(before) + new >= ENOUGH or not mark_agrees:
            pause_for_lost_attempts(send_id, {*before.values(), *attempts.values()})
            continue
        if new:
            log.warning("unmatched_report", send=send_id, attempts=[*map(str, attempts.values())])
        disbelieved = Disbelieved(disbelieved.attempts.union(attempts.values()), disbelieved.new + new)
    return disbelieved


def without_attempts(events: Sequence[ReportedEvent], attempts: Collection[UUID]) -> list[ReportedEvent]:
    """The same events; those that name these attempts tell of their reader only, and prove nothing of a request."""
    return [event._replace(attempt=None) if event.attempt in attempts else event for event in events]


def _by_send(events: Iterable[ReportedEvent], lacking: Collection[UUID]) -> dict[int, dict[bytes, UUID]]:
    """The attempts by the keys of the reports that name them."""
    reports: dict[int, dict[bytes, UUID]] = {}
    for event in events if lacking else ():
        if event.attempt is not None and event.attempt in lacking and event.send_id is not None:
            reports.setdefault(event.send_id, {})[event.key] = event.attempt
    return reports


def _mark_agrees() -> bool:
    try:
        return high_water.agrees()
    except high_water.UnsureError:
        return False


def _remembered(send_id: int) -> dict[bytes, UUID]:
    rows = UnmatchedReport.objects.filter(send=send_id).values_list("key", "attempt")
    return {bytes(key): attempt for key, attempt in rows}


def _remember(send_id: int, attempts: dict[bytes, UUID], before: Collection[bytes]) -> int:
    """How many were added: a database that has lost a send is told of it a million times, and needs none but the first."""
    new = sorted(attempts.keys() - before)[: max(ENOUGH - len(before), 0)]
    rows = [UnmatchedReport(key=key, send_id=send_id, attempt=attempts[key]) for key in new]
    UnmatchedReport.objects.bulk_create(rows, ignore_conflicts=True)
    return len(new)
