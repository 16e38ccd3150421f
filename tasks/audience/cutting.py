"""Cutting whoever gets a send into batches, by counts: its deliveries are written once, and nobody is counted twice.

It works on the temporary tables `prepared` (the readers) and `counted` (how many of each kind) that `tasks.audience.freezing` makes.
What all readers of a request share is when they are due, their variant, and whether they are tracked: they are a part of the send.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.backends.utils import CursorWrapper

from tasks.audience import local_time
from tasks.audience.tracking import Tracked
from tasks.models import Send

_COUNTED = "SELECT variant_id, timezone, {tracked}, members FROM counted WHERE variant_id IS NOT NULL"
_CUT = """
CREATE TEMPORARY TABLE cut ON COMMIT DROP AS
SELECT nextval(pg_get_serial_sequence('tasks_batch', 'id')) AS batch_id, b.*
  FROM unnest(%s::bigint[], %s::timestamptz[], %s::bigint[], %s::bool[], %s::bigint[]) AS b (slot, at, variant_id, tracked, members)
"""
_CANARY = "SELECT batch_id FROM cut WHERE slot = 1"
#: Readers of a part are numbered as they come, each part by a counter of its own: to number them by a window would sort all readers by
#: part, and write the deliveries in an order that is not the one of their key. The counters go with the table.
_KINDS = (
    "CREATE TEMPORARY TABLE kinds (variant_id bigint, timezone text, tracked bool, counter regclass) ON COMMIT DROP"
)
#: Its end is the part's, so that a reader too many is an error, and never one of the next part, with the bytes of another variant.
_COUNTER = "CREATE TEMPORARY SEQUENCE {name} START {first} MINVALUE 0 MAXVALUE {last} CACHE 1000 OWNED BY kinds.counter"
_FILL_KINDS = "INSERT INTO kinds SELECT * FROM unnest(%s::bigint[], %s::text[], %s::bool[], %s::text[]::regclass[])"
#: So that the readers are looked up in them, and they not in the readers.
_LOOK_AT_KINDS = "ANALYZE kinds"
#: A reader's batch is looked up and not joined, so that nothing but their order decides the order in which deliveries are written.
_DELIVERIES = """
INSERT INTO tasks_delivery (send_id, subscriber_id, batch_id)
SELECT %s, subscriber_id, (ARRAY(SELECT batch_id FROM cut ORDER BY slot))[nextval(counter) / {size}]
  FROM (SELECT subscriber_id, counter FROM prepared JOIN kinds USING (variant_id, timezone{tracked}) {places} ORDER BY {order}) r
"""
#: Readers in the order in which they are mailed (`tasks.audience.engaged_first`).
_PLACES = "JOIN places USING (subscriber_id)"


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What was written: `deliveries` as the database counted them then, the rest by what it had counted before.

    `canary_batch`: whose answer the others wait for.
    """

    deliveries: int
    batches: int
    in_batches: int
    largest: int
    canary_batch: int | None


@dataclass(frozen=True, kw_only=True)
class Kind:
    """So many readers of a variant, in a timezone as they have it ("" for a send at one moment), tracked or not."""

    variant_id: int
    timezone: str
    tracked: bool
    members: int


@dataclass(frozen=True, kw_only=True)
class Part:
    """Readers who may share a request. The slots of a send, one for each batch, are numbered from 1 through its parts."""

    at: datetime
    variant_id: int
    tracked: bool
    kinds: list[Kind]
    first_slot: int
    #: Deliveries in each of its batches.
    batches: list[int]
    #: The number its first reader gets: divided by the size of a full batch, a reader's number is their slot.
    first_number: int


def parts(kinds: Iterable[Kind], due: Mapping[str, datetime], *, size: int, canary: int) -> list[Part]:
    """The parts of a send in the order in which they are due, all batches full but for the last of each. Pure.

    `due`: the moment for each timezone. `size`: deliveries of a full batch. `canary`: of the first batch, 0 = as of all others.
    """
    by_part: defaultdict[tuple[datetime, int, bool], list[Kind]] = defaultdict(list)
    for kind in kinds:
        by_part[due[kind.timezone], kind.variant_id, kind.tracked].append(kind)
    found: list[Part] = []
    slot = 1
    for at, variant_id, tracked in sorted(by_part):
        together = by_part[at, variant_id, tracked]
        members = sum(kind.members for kind in together)
        small = 0 if found else min(canary, members)
        full, rest = divmod(members - small, size)
        batches = [*([small] if small else []), *[size] * full, *([rest] if rest else [])]
        first_number = (slot + bool(small)) * size - small
        found.append(
            Part(
                at=at,
                variant_id=variant_id,
                tracked=tracked,
                kinds=together,
                first_slot=slot,
                batches=batches,
                first_number=first_number,
            )
        )
        slot += len(batches)
    return found


def cut(cursor: CursorWrapper, send: Send, tracked: Tracked, *, size: int, canary: int, in_order: bool) -> Cut:
    """Write the deliveries, and leave their batches in the temporary table `cut`.

    `size`: deliveries of a full batch. `canary`: of the first one, 0 = there is none. `in_order`: by the temporary table `places`,
    not by the readers' ids. Raises the database's errors.
    """
    cursor.execute(_COUNTED.format(tracked="tracked" if tracked.differs else tracked.sql))
    kinds = [
        Kind(variant_id=variant_id, timezone=timezone, tracked=is_tracked, members=members)
        for variant_id, timezone, is_tracked, members in cursor.fetchall()
    ]
    divided = parts(kinds, _due(cursor, send, kinds), size=size, canary=canary)
    canary_batch = _write_batches(cursor, divided)
    _write_kinds(cursor, divided)
    statement = _DELIVERIES.format(
        size=size,
        tracked=", tracked" if tracked.differs else "",
        places=_PLACES if in_order else "",
        order="place" if in_order else "subscriber_id",
    )
    cursor.execute(statement, [send.pk])
    sizes = [members for part in divided for members in part.batches]
    return Cut(
        deliveries=cursor.rowcount,
        batches=len(sizes),
        in_batches=sum(sizes),
        largest=max(sizes, default=0),
        canary_batch=canary_batch if canary else None,
    )


def _due(cursor: CursorWrapper, send: Send, kinds: list[Kind]) -> dict[str, datetime]:
    """When each timezone is due; a moment that is past counts as now, so that all who are late share batches."""
    cursor.execute("SELECT now()")
    (now,) = cursor.fetchone()
    timezones = {kind.timezone for kind in kinds}
    if not send.local_at:
        return dict.fromkeys(timezones, now)
    usual = send.edition.publication.zone
    due = local_time.moments(datetime.fromisoformat(send.local_at), timezones, usual=usual)
    return {timezone: max(at, now) for timezone, at in due.items()}


def _write_batches(cursor: CursorWrapper, divided: list[Part]) -> int | None:
    """Write the table `cut`; the id of the first batch, if there is any."""
    batches = [
        (part.first_slot + at, part.at, part.variant_id, part.tracked, members)
        for part in divided
        for at, members in enumerate(part.batches)
    ]
    cursor.execute(_CUT, _columns(batches, 5))
    cursor.execute(_CANARY)
    row = cursor.fetchone()
    return row[0] if row else None


def _write_kinds(cursor: CursorWrapper, divided: list[Part]) -> None:
    """Write the table `kinds`: the counter of the part of each kind of reader."""
    cursor.execute(_KINDS)
    counters = {f"counter_{part.first_slot}": part for part in divided}
    if counters:
        statements = (
            _COUNTER.format(name=name, first=part.first_number, last=part.first_number + sum(part.batches) - 1)
            for name, part in counters.items()
        )
        cursor.execute("; ".join(statements))
    rows = [
        (kind.variant_id, kind.timezone, kind.tracked, f"pg_temp.{name}")
        for name, part in counters.items()
        for kind in part.kinds
    ]
    cursor.execute(_FILL_KINDS, _columns(rows, 4))
    cursor.execute(_LOOK_AT_KINDS)


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    return [[row[at] for row in rows] for at in range(width)]
