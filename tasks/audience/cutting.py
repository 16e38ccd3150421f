"""Cutting whoever gets a send into batches, by counts: its deliveries are written once, and nobody is counted twice.

It works on the temporary tables `prepared` (the readers) and `counted` (how many of each kind) that `tasks.audience.freezing` makes.
What all readers of a request share is when they are due, their variant, and whether they are tracked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.backends.utils import CursorWrapper

from subscribers.sql import SqlCondition
from tasks.audience import local_time
from tasks.audience.tracking import Tracked
from tasks.models import Send

#: Of a send at the readers' local time, by timezone; a moment that is past counts as now, so that all who are late share batches. Who has no
#: reason has a variant; PostgreSQL believes the latter of many rows that it has not looked at, and the former of few.
_ALL_AT_ONCE = "(SELECT r.*, now() AS at FROM {rows} r WHERE r.variant_id IS NOT NULL) p"
_BY_TIMEZONE = """
(SELECT r.*, GREATEST(due.at, now()) AS at
   FROM {rows} r JOIN unnest(%s::text[], %s::timestamptz[]) AS due (timezone, at) USING (timezone)
  WHERE r.variant_id IS NOT NULL) p
"""
#: Slot 0 is the canary, cut off the earliest part; all others are full but for the last of each part.
_CUT = """
CREATE TEMPORARY TABLE cut ON COMMIT DROP AS
SELECT nextval(pg_get_serial_sequence('tasks_batch', 'id')) AS batch_id, variant_id, at, {tracked} AS tracked, slot,
       CASE WHEN slot = 0 THEN LEAST(canary, members) ELSE LEAST({size}, members - canary - (slot - 1) * {size}) END AS members
  FROM (SELECT {part}, sum(members)::bigint AS members,
               CASE WHEN row_number() OVER (ORDER BY {part}) = 1 THEN {canary} ELSE 0 END AS canary
          FROM {readers} GROUP BY {part} ORDER BY {part}) parts
 CROSS JOIN LATERAL generate_series((canary = 0)::int, (members - 1 - canary + {size}) / {size}) AS slot
"""
#: So that the readers are looked up in it, and it not in them.
_LOOK_AT_CUT = "ANALYZE cut"
_CANARY = "SELECT batch_id, at, variant_id, tracked FROM cut WHERE slot = 0"
#: The larger half first: it is appended to the index of the table's key, the other is put in between, which costs more.
_HALVES = (
    "SELECT tracked, sum(members)::bigint AS members, max(members) FROM cut GROUP BY tracked ORDER BY members DESC"
)
_NUMBERED = """
SELECT subscriber_id, {keys}(row_number() OVER ({partition} ORDER BY {order}) - 1 + {size} - {before}) / {size} AS slot
  FROM {readers} {only}
"""
#: Readers in the order in which they are mailed (`tasks.audience.engaged_first`).
_IN_ORDER = "(SELECT prepared.*, places.place FROM prepared JOIN places USING (subscriber_id))"
_DELIVERIES = """
INSERT INTO tasks_delivery (send_id, subscriber_id, batch_id)
SELECT %s, p.subscriber_id, c.batch_id FROM ({numbered}) p JOIN cut c USING ({keys}slot)
"""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What was written, as the database counts it. `canary_batch`: whose answer the others wait for."""

    deliveries: int
    batches: int
    in_batches: int
    largest: int
    canary_batch: int | None


def cut(cursor: CursorWrapper, send: Send, tracked: Tracked, *, size: int, canary: int, in_order: bool) -> Cut:
    """Write the deliveries, and leave their batches in the temporary table `cut`.

    `size`: deliveries of a full batch. `canary`: of the first one, 0 = there is none. `in_order`: by the temporary table `places`,
    not by the readers' ids. Raises the database's errors.
    """
    due = _due(cursor, send)
    rows = due("counted")
    part = ", ".join(["at", "variant_id", *(["tracked"] if tracked.differs else [])])
    is_tracked = "tracked" if tracked.differs else tracked.sql
    cursor.execute(_CUT.format(tracked=is_tracked, part=part, readers=rows.sql, size=size, canary=canary), rows.params)
    batches = cursor.rowcount
    cursor.execute(_LOOK_AT_CUT)
    cursor.execute(_CANARY)
    canary_batch, *first = cursor.fetchone() or [None] * 4
    cursor.execute(_HALVES)
    halves = cursor.fetchall()
    tracked_or_not = [is_tracked for is_tracked, *_ in halves]
    readers = due(_IN_ORDER if in_order else "prepared")
    order = "place" if in_order else "subscriber_id"
    numbered = _Numbering(send, readers, order=order, halves=tracked_or_not, size=size, canary=canary, first=first)
    cursor.execute(_DELIVERIES.format(numbered=numbered.sql, keys=numbered.keys), [send.pk, *numbered.params])
    return Cut(
        deliveries=cursor.rowcount,
        batches=batches,
        in_batches=sum(members for _, members, _ in halves),
        largest=max((largest for *_, largest in halves), default=0),
        canary_batch=canary_batch,
    )


class _Numbering:
    """Readers with the slot of their batch. They are numbered apart by what differs among them only, since each column costs.

    `halves`: whether readers are tracked, in the order in which they are written. `first`: the moment, the variant and the tracking of
    the part that the canary is cut off; its members count from its end on.
    """

    def __init__(
        self,
        send: Send,
        readers: SqlCondition,
        *,
        order: str,
        halves: list[bool],
        size: int,
        canary: int,
        first: list[Any],
    ) -> None:
        at, variant_id, first_is_tracked = first
        by = {"at": at} if send.local_at else {}
        if send.approval.variants.count() > 1:
            by["variant_id"] = variant_id
        in_first = " AND ".join(f"{name} = %s" for name in by) or "true"
        both = len(halves) > 1
        #: By what, beside the slot, a reader's batch is found.
        self.keys = "".join(f"{name}, " for name in [*by, *(["tracked"] if both else [])])
        statements = []
        self.params: list[Any] = []
        # Each half by itself, so that neither is sorted by a second column: readers come in the order of their ids, mostly.
        for is_tracked in halves or [False]:
            has_canary = bool(canary) and is_tracked == first_is_tracked
            statement = _NUMBERED.format(
                keys=self.keys,
                partition=f"PARTITION BY {', '.join(by)}" if by else "",
                order=order,
                size=size,
                before=f"CASE WHEN {in_first} THEN {canary} ELSE 0 END" if has_canary else "0",
                readers=readers.sql,
                only=f"WHERE tracked = {is_tracked}" if both else "",
            )
            statements.append(statement)
            self.params += [*(by.values() if has_canary else ()), *readers.params]
        self.sql = "UNION ALL".join(statements)


def _due(cursor: CursorWrapper, send: Send) -> Callable[[str], SqlCondition]:
    """A function of a table of readers: those of it who get a delivery, with the moment `at` which they are due."""
    if not send.local_at:
        return lambda rows: SqlCondition(_ALL_AT_ONCE.format(rows=rows))
    cursor.execute("SELECT DISTINCT timezone FROM counted WHERE variant_id IS NOT NULL")
    timezones = [timezone for (timezone,) in cursor.fetchall()]
    due = local_time.moments(datetime.fromisoformat(send.local_at), timezones, usual=send.edition.publication.zone)
    return lambda rows: SqlCondition(_BY_TIMEZONE.format(rows=rows), (list(due), list(due.values())))
