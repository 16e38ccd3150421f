"""Telling readers' opens and clicks from those of machines, and counting the readers'.

What an event is depends on all the opens and clicks of its delivery, and those come in any order. So whenever one comes,
or the time of delivery where links were followed already, the delivery is judged anew from all that is stored: bits may
be set, and a bit that was set may be taken back. Whoever calls holds the batches: events that another worker stored and
we do not see yet are judged by it, after us.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

from tasks.database.columns import bigints, integers
from tasks.database.statements import run
from tasks.feedback.bot_detection import CLICKS, KINDS, OPENS, Act, by_machines
from tasks.feedback.event_store import chunks
from tasks.feedback.flags import Key, bounds
from tasks.models import Delivery
from tasks.providers.events import EventKind, ReportedEvent

OPENED, CLICKED = Delivery.Seen.OPENED.value, Delivery.Seen.CLICKED.value
LINKS_FOLLOWED = Delivery.Seen.LINKS_FOLLOWED.value

_STORED = f"""
SELECT e.send_id, e.subscriber_id, e.key, e.kind, EXTRACT(EPOCH FROM e.at)::float8, e.url, e.agent, e.machine
FROM unnest(%b::bigint[], %b::bigint[]) AS r(send_id, subscriber_id)
JOIN tasks_delivery d ON d.send_id = r.send_id AND d.subscriber_id = r.subscriber_id AND d.send_id BETWEEN %b AND %b
JOIN tasks_event e ON e.send_id = r.send_id AND e.subscriber_id = r.subscriber_id
WHERE e.kind IN ({", ".join(f"'{kind}'" for kind in (*sorted(KINDS), EventKind.DELIVERED.value))})
"""  # noqa: S608 - made of constants
_SAY_WHO = """
UPDATE tasks_event e SET machine = r.machine
FROM unnest(%b::bytea[], %b::bool[]) AS r(key, machine) WHERE e.key = r.key
"""
#: The bits that are said anew.
_ANEW = OPENED | CLICKED | LINKS_FOLLOWED
_COUNT = f"""
WITH news AS MATERIALIZED (
    SELECT d.send_id, d.subscriber_id, d.batch_id, r.bits, d.seen::int AS before
    FROM unnest(%b::bigint[], %b::bigint[], %b::int[]) AS r(send_id, subscriber_id, bits)
    JOIN tasks_delivery d ON d.send_id = r.send_id AND d.subscriber_id = r.subscriber_id AND d.send_id BETWEEN %b AND %b
    WHERE d.seen::int & {_ANEW} <> r.bits
), marked AS (
    UPDATE tasks_delivery d SET seen = (d.seen::int & ~{_ANEW} | n.bits)::smallint
    FROM news n WHERE d.send_id = n.send_id AND d.subscriber_id = n.subscriber_id AND d.send_id BETWEEN %b AND %b
), counted AS (
    UPDATE tasks_batch b SET opened = b.opened + c.opened, clicked = b.clicked + c.clicked
    FROM (
        SELECT batch_id,
            count(*) FILTER (WHERE bits & {OPENED} <> 0) - count(*) FILTER (WHERE before & {OPENED} <> 0) AS opened,
            count(*) FILTER (WHERE bits & {CLICKED} <> 0) - count(*) FILTER (WHERE before & {CLICKED} <> 0) AS clicked
        FROM news GROUP BY batch_id
    ) c WHERE b.id = c.batch_id AND (c.opened <> 0 OR c.clicked <> 0)
)
SELECT count(*) FILTER (WHERE (bits # before) & {OPENED | CLICKED} <> 0) FROM news
"""  # noqa: S608 - made of constants


class _Stored(NamedTuple):
    key: bytes
    act: Act
    #: As it was judged last.
    machine: bool


def acted_on(events: Iterable[ReportedEvent]) -> set[Key]:
    """The deliveries of which one of these events is an open or a click."""
    return {
        (event.send_id, event.subscriber_id)
        for event in events
        if event.kind in KINDS and event.send_id is not None and event.subscriber_id is not None
    }


def recount(keys: Collection[Key]) -> int:
    """Say of every open and click of these deliveries who did it; for how many the reader's bits changed.

    Call it inside the transaction that stored the events, with the batches locked (`lock_batches`).
    """
    return sum(_judge_anew(chunk) for chunk in chunks(sorted(keys)))


def _judge_anew(keys: Collection[Key]) -> int:
    sends, subscribers = (list(column) for column in zip(*keys, strict=True))
    acts: dict[Key, list[_Stored]] = defaultdict(list)
    delivered: dict[Key, float] = {}
    for send_id, subscriber_id, key, kind, at, url, agent, machine in run(
        _STORED, (bigints(sends), bigints(subscribers), *bounds(sends))
    ):
        of = (send_id, subscriber_id)
        if kind in KINDS:
            acts[of].append(_Stored(bytes(key), Act(kind, at, url, agent), machine))
        else:
            delivered[of] = max(at, delivered.get(of, at))
    otherwise: dict[bytes, bool] = {}
    bits: dict[Key, int] = {}
    for of, stored in acts.items():
        verdicts = by_machines([one.act for one in stored], delivered=delivered.get(of))
        bits[of] = 0
        for one, machine in zip(stored, verdicts, strict=True):
            bits[of] |= _bits(one.act.kind, machine=machine)
            if machine != one.machine:
                otherwise[one.key] = machine
    if otherwise:
        run(_SAY_WHO, (list(otherwise), list(otherwise.values())))
    return _write(bits)


def _bits(kind: str, *, machine: bool) -> int:
    if kind in CLICKS:
        return LINKS_FOLLOWED if machine else LINKS_FOLLOWED | CLICKED
    return OPENED if kind in OPENS and not machine else 0


def _write(bits: dict[Key, int]) -> int:
    if not bits:
        return 0
    sends, subscribers = (list(column) for column in zip(*bits, strict=True))
    ((changed,),) = run(
        _COUNT, (bigints(sends), bigints(subscribers), integers(list(bits.values())), *bounds(sends), *bounds(sends))
    )
    return int(changed)
