"""Keeping each report once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TypeVar

from tasks.database.columns import bigints, digests, texts
from tasks.database.statements import run
from tasks.providers.events import ReportedEvent

Row = TypeVar("Row")

#: Rows in one statement: large enough to forget its cost, small enough to keep memory flat.
CHUNK = 5000

#: Which of them are new is told only where not all are.
_INSERT = """
WITH stored AS (
    INSERT INTO tasks_event (key, send_id, subscriber_id, kind, at, url, agent)
    SELECT r.key, r.send_id, r.subscriber_id, r.kind, timestamptz 'epoch' + r.at * interval '1 microsecond', r.url, r.agent
    FROM unnest(%b::bytea[], %b::bigint[], %b::bigint[], %b::text[], %b::bigint[], %b::text[], %b::text[])
        AS r(key, send_id, subscriber_id, kind, at, url, agent)
    ON CONFLICT (key) DO NOTHING
    RETURNING key
)
SELECT CASE WHEN count(*) < %b THEN COALESCE(array_agg(key), '{}') END FROM stored
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(event: ReportedEvent, undated: Mapping[bytes, datetime]) -> int:
    """When it happened, since 1970. Of events without a time `undated` says by their keys when they were received."""
    return (undated[event.key] - _EPOCH) // _MICROSECOND if event.at is None else event.at * 1_000_000


def insert_new(events: Sequence[ReportedEvent], *, undated: Mapping[bytes, datetime]) -> list[ReportedEvent]:
    """Store the events that are not stored yet, in key order, and return those. Of two reports of the same thing the first counts."""
    distinct: dict[bytes, ReportedEvent] = {}
    for event in events:
        distinct.setdefault(event.key, event)
    in_order = [distinct[key] for key in sorted(distinct)]
    return [event for chunk in chunks(in_order) for event in _insert(chunk, undated)]


def _insert(events: Sequence[ReportedEvent], undated: Mapping[bytes, datetime]) -> Iterable[ReportedEvent]:
    keys, kinds, ats, _, sends, subscribers, _, urls, agents, *_ = zip(*events, strict=True)
    micros = [microseconds(event, undated) for event in events] if None in ats else [at * 1_000_000 for at in ats]
    columns = (
        digests(keys),
        bigints(sends),
        bigints(subscribers),
        texts(kinds),
        bigints(micros),
        texts(urls),
        texts(agents),
    )
    ((new,),) = run(_INSERT, (*columns, len(events)))
    if new is None:
        return events
    are_new = set(new)
    return (event for event in events if event.key in are_new)


def chunks(rows: Sequence[Row], size: int = CHUNK) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while chunk := list(islice(remaining, size)):
        yield chunk
