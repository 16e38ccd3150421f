"""Keeping each report once.

A report's key in the table is its time and the first twelve bytes of its own key. What happens now then lies together in the index, and
what is read and written of it are a few pages and not one for each event.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from struct import Struct
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
_TIMED_SINCE = "SELECT COALESCE(max(timed_events_since), 0) FROM tasks_installation"
#: Of a key: seconds since 1970, big-endian, so that keys are in the order of time.
_TIME = Struct("!I")
_LATEST = 2**32 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(event: ReportedEvent, undated: Mapping[bytes, datetime]) -> int:
    """When it happened, since 1970. Of events without a time `undated` says by their keys when they were received."""
    return (undated[event.key] - _EPOCH) // _MICROSECOND if event.at is None else event.at * 1_000_000


def insert_new(events: Sequence[ReportedEvent], *, undated: Mapping[bytes, datetime]) -> list[ReportedEvent]:
    """Store the events that are not stored yet, in key order, and return those. Of two reports of the same thing the first counts."""
    if not events:
        return []
    ((since,),) = run(_TIMED_SINCE, ())
    distinct: dict[bytes, ReportedEvent] = {}
    for event in events:
        distinct.setdefault(_key(event, since), event)
    in_order = [(key, distinct[key]) for key in sorted(distinct)]
    return [event for chunk in chunks(in_order) for event in _insert(chunk, undated)]


def _key(event: ReportedEvent, since: int) -> bytes:
    """In the table. Of what has no time, or happened before keys had one, it is the report's own."""
    at = event.at
    if at is None or not since <= at <= _LATEST:
        return event.key
    return _TIME.pack(at) + event.key[:12]


def _insert(
    stored: Sequence[tuple[bytes, ReportedEvent]], undated: Mapping[bytes, datetime]
) -> Iterable[ReportedEvent]:
    keys, events = zip(*stored, strict=True)
    _, kinds, ats, _, sends, subscribers, _, urls, agents, *_ = zip(*events, strict=True)
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
    return (event for key, event in stored if key in are_new)


def chunks(rows: Sequence[Row], size: int = CHUNK) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while chunk := list(islice(remaining, size)):
        yield chunk
