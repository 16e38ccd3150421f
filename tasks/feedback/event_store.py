"""Keeping each report once."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TypeVar

from tasks.database.statements import run
from tasks.providers.events import ReportedEvent

Row = TypeVar("Row")

#: Rows in one statement: large enough to forget its cost, small enough to keep memory flat.
CHUNK = 5000

_INSERT = """
INSERT INTO tasks_event (key, send_id, subscriber_id, kind, at, url, agent)
SELECT r.key, r.send_id, r.subscriber_id, r.kind, COALESCE(to_timestamp(r.at), %b), r.url, r.agent
FROM unnest(%b::bytea[], %b::bigint[], %b::bigint[], %b::text[], %b::bigint[], %b::text[], %b::text[])
    AS r(key, send_id, subscriber_id, kind, at, url, agent)
ON CONFLICT (key) DO NOTHING
RETURNING key
"""


def insert_new(events: Sequence[ReportedEvent], *, received_at: datetime) -> list[ReportedEvent]:
    """Store the events that are not stored yet, in key order, and return those; `received_at` dates the undated."""
    distinct = {event.key: event for event in events}
    in_order = [distinct[key] for key in sorted(distinct)]
    return [event for chunk in chunks(in_order) for event in _insert(chunk, received_at)]


def _insert(events: Sequence[ReportedEvent], received_at: datetime) -> Iterator[ReportedEvent]:
    keys, kinds, ats, _, sends, subscribers, _, urls, agents, *_ = map(list, zip(*events, strict=True))
    new = {key for (key,) in run(_INSERT, (received_at, keys, sends, subscribers, kinds, ats, urls, agents))}
    return (event for event in events if event.key in new)


def chunks(rows: Sequence[Row], size: int = CHUNK) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while chunk := list(islice(remaining, size)):
        yield chunk
