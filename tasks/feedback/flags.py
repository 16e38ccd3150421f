"""Setting the bits of deliveries, and counting each reader once in the counters of batches and attempts.

Whoever changes `seen` has locked the batches of those deliveries first, in id order; that lock is what makes the
statement below see the newest bits, so that a bit is counted by the one transaction that sets it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from tasks.database.columns import bigints, integers
from tasks.database.partitions import SENDS
from tasks.database.statements import run
from tasks.feedback.event_store import chunks
from tasks.feedback.kinds import BITS, HEARD_KINDS, Seen
from tasks.providers.events import ReportedEvent

Key = tuple[int, int]


class Mark(NamedTuple):
    bits: int
    #: The attempt that a HEARD bit is credited to.
    attempt: UUID | None


class Marked(NamedTuple):
    #: Deliveries with a newly set bit.
    changed: int
    #: Deliveries of which links had been followed before their delivery was told.
    to_judge: set[Key]


#: Here and below: BETWEEN `bounds` leaves the planner with the partitions of the sends, of however many.
_LOCK_BATCHES = """
SELECT id FROM tasks_batch
WHERE id IN (
    SELECT d.batch_id FROM unnest(%b::bigint[], %b::bigint[]) AS r(send_id, subscriber_id)
    JOIN tasks_delivery d ON d.send_id = r.send_id AND d.subscriber_id = r.subscriber_id AND d.send_id BETWEEN %b AND %b
    UNION SELECT a.batch_id FROM tasks_attempt a WHERE a.id = ANY(%b::uuid[])
)
ORDER BY id FOR NO KEY UPDATE
"""

_ATTEMPTS = "SELECT id, outcome = 'accepted' FROM tasks_attempt WHERE id = ANY(%b::uuid[])"

_HEAR_PROBES = "UPDATE tasks_attempt SET heard = 1 WHERE batch_id IS NULL AND heard = 0 AND id = ANY(%b::uuid[])"

_COUNTED = (
    Seen.DELIVERED.value | Seen.BOUNCED.value | Seen.COMPLAINED.value | Seen.UNSUBSCRIBED.value | Seen.DROPPED.value
)
_MARK = f"""
WITH named AS MATERIALIZED (
    SELECT d.send_id, d.subscriber_id, d.batch_id, (%b::uuid[])[r.attempt] AS attempt, r.bits, r.bits & ~d.seen::int AS bits_new,
           d.seen::int & {Seen.LINKS_FOLLOWED.value} <> 0 AND r.bits & {Seen.DELIVERED.value} <> 0 AS again
    FROM unnest(%b::bigint[], %b::bigint[], %b::int[], %b::int[]) AS r(send_id, subscriber_id, bits, attempt)
    JOIN tasks_delivery d ON d.send_id = r.send_id AND d.subscriber_id = r.subscriber_id AND d.send_id BETWEEN %b AND %b
), news AS MATERIALIZED (
    SELECT * FROM named WHERE bits_new <> 0
), marked AS (
    UPDATE tasks_delivery d SET seen = (d.seen | n.bits)::smallint
    FROM news n WHERE d.send_id = n.send_id AND d.subscriber_id = n.subscriber_id AND d.send_id BETWEEN %b AND %b
), counted AS (
    UPDATE tasks_batch b SET
        delivered = b.delivered + c.delivered, bounced = b.bounced + c.bounced,
        complained = b.complained + c.complained, unsubscribed = b.unsubscribed + c.unsubscribed, dropped = b.dropped + c.dropped
    FROM (
        SELECT batch_id,
            count(*) FILTER (WHERE bits_new & {Seen.DELIVERED.value} <> 0) AS delivered,
            count(*) FILTER (WHERE bits_new & {Seen.BOUNCED.value} <> 0) AS bounced,
            count(*) FILTER (WHERE bits_new & {Seen.COMPLAINED.value} <> 0) AS complained,
            count(*) FILTER (WHERE bits_new & {Seen.UNSUBSCRIBED.value} <> 0) AS unsubscribed,
            count(*) FILTER (WHERE bits_new & {Seen.DROPPED.value} <> 0) AS dropped
        FROM news WHERE bits_new & {_COUNTED} <> 0 GROUP BY batch_id
    ) c WHERE b.id = c.batch_id
), heard AS (
    UPDATE tasks_attempt a SET heard = a.heard + c.members
    FROM (SELECT attempt, count(*) AS members FROM news WHERE bits_new & {Seen.HEARD.value} <> 0 GROUP BY attempt) c
    WHERE a.id = c.attempt
)
SELECT (SELECT count(*) FROM news), send_ids, subscriber_ids
FROM (SELECT array_agg(send_id) AS send_ids, array_agg(subscriber_id) AS subscriber_ids FROM named WHERE again) a
"""  # noqa: S608 - made of constants
#: Deliveries are looked up by key, however few the planner believes there are: it would read the whole table, and most
#: tables are without statistics when the first reports of a send arrive. Holds until the transaction ends.
_BY_KEY = "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)"


#: What each kind sets, and whether it credits the attempt that it names.
_MARKS = {kind: (bit | Seen.HEARD.value, True) if kind in HEARD_KINDS else (bit, False) for kind, bit in BITS.items()}
_HEARD = Seen.HEARD.value


def marks_of(events: Iterable[ReportedEvent]) -> dict[Key, Mark]:
    """What the events set on each delivery, in the order of its key."""
    marks: dict[Key, Mark] = {}
    for event in events:
        sets = _MARKS.get(event.kind)
        send_id, subscriber_id = event.send_id, event.subscriber_id
        if sets is None or send_id is None or subscriber_id is None:
            continue
        bits, is_heard = sets
        heard = event.attempt if is_heard else None
        if heard is None:
            bits &= ~_HEARD
        key = (send_id, subscriber_id)
        before = marks.get(key)
        if before is not None:
            bits |= before.bits
            if heard is None or heard is before.attempt:
                heard = before.attempt
            elif before.attempt is not None:
                # Two attempts in one receipt: the same one is credited in whatever order they stand there.
                heard = min(heard, before.attempt)
        marks[key] = Mark(bits, heard)
    return dict(sorted(marks.items()))


def bounds(sends: Sequence[int]) -> tuple[int, int]:
    """The first and the last send of the partitions that these sends lie in.

    Not the first and the last of these sends themselves: of a send that is newer than the planner's statistics it believes that
    it has one delivery. It would read all of them for each reader that is reported of, a million a million times.
    """
    return min(sends, default=0) // SENDS * SENDS, max(sends, default=0) // SENDS * SENDS + SENDS - 1


def lock_batches(keys: Collection[Key], attempts: Collection[UUID] = ()) -> None:
    """Lock the batches of these deliveries and attempts until the transaction ends, in id order."""
    sends, subscribers = [key[0] for key in keys], [key[1] for key in keys]
    run(_BY_KEY, ())
    run(_LOCK_BATCHES, (bigints(sends), bigints(subscribers), *bounds(sends), list(attempts)))


def known_attempts(attempts: Collection[UUID]) -> dict[UUID, bool]:
    """Those of which we have a record, each with whether it is proven to be accepted."""
    return dict(run(_ATTEMPTS, (list(attempts),))) if attempts else {}


def mark(marks: Mapping[Key, Mark]) -> Marked:
    """Set the bits and add newly set ones to the counters. `lock_batches` came before."""
    changed, again = 0, set[Key]()
    for chunk in chunks(list(marks.items())):
        keys, values = zip(*chunk, strict=True)
        sends, subscribers = zip(*keys, strict=True)
        bits, attempts = zip(*values, strict=True)
        # By their objects, few of which there are for thousands of events: a UUID is hashed and compared in Python.
        distinct = {id(attempt): attempt for attempt in attempts if attempt is not None}
        numbers = {one: number for number, one in enumerate(distinct, 1)}
        credited = [numbers.get(id(attempt)) for attempt in attempts]
        ((count, send_ids, subscriber_ids),) = run(
            _MARK,
            (
                list(distinct.values()),
                bigints(sends),
                bigints(subscribers),
                integers(bits),
                integers(credited),
                *bounds(sends),
                *bounds(sends),
            ),
        )
        changed += count
        again.update(zip(send_ids or (), subscriber_ids or (), strict=True))
    return Marked(changed, again)


def hear_probes(events: Iterable[ReportedEvent]) -> None:
    """A probe has one member and no delivery: what is said of it counts for its attempt alone."""
    probes = {event.attempt for event in events if event.send_id is None and event.kind in HEARD_KINDS}
    if probes - {None}:
        run(_HEAR_PROBES, (list(probes),))


def mark_unsubscribed(send_id: int, subscriber_id: int) -> bool:
    """The reader left through the link of this send; True the first time. Call it inside a transaction."""
    key = (send_id, subscriber_id)
    lock_batches([key])
    return mark({key: Mark(Seen.UNSUBSCRIBED.value, None)}).changed == 1
