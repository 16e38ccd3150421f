"""Reports that come without our ids: the address tells who, and the reader's latest send tells which."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from subscribers import merging
from tasks.database.statements import run
from tasks.feedback.event_store import microseconds
from tasks.feedback.kinds import LATE_KINDS
from tasks.providers.events import EventKind, ReportedEvent

#: A bounce may come this long after its message (docs/architecture.md, Events).
WINDOW_DAYS = 10
#: The provider's clock may be this many minutes behind the database's.
SKEW_MINUTES = 5

#: What a person says at an address that was merged into another record is said for that as well; a bounce is the address's own.
_BY_WILL = frozenset({EventKind.COMPLAINT.value, EventKind.UNSUBSCRIBED.value})

_FIND = """
SELECT r.position, s.id, latest.send_id
FROM unnest(%b::int[], %b::text[], %b::bigint[]) AS r(position, address, at)
JOIN subscribers_subscriber s ON lower(s.email) = r.address
LEFT JOIN LATERAL (
    SELECT t.id AS send_id
    FROM tasks_send t JOIN tasks_delivery d ON d.send_id = t.id AND d.subscriber_id = s.id
    JOIN tasks_batch b ON b.id = d.batch_id AND b.status IN ('submitted', 'unknown')
    WHERE COALESCE(t.prepared_at, t.scheduled_at) BETWEEN
        timestamptz 'epoch' + r.at * interval '1 microsecond' - make_interval(days => %b)
        AND timestamptz 'epoch' + r.at * interval '1 microsecond' + make_interval(mins => %b)
    AND NOT EXISTS (SELECT 1 FROM tasks_exclusion x WHERE x.send_id = t.id AND x.subscriber_id = s.id)
    ORDER BY COALESCE(t.prepared_at, t.scheduled_at) DESC, t.id DESC LIMIT 1
) latest ON true
"""


def attribute(events: Sequence[ReportedEvent], *, undated: Mapping[bytes, datetime]) -> list[ReportedEvent]:
    """The same events; late ones without ids carry the subscriber and the send that their address points to.

    `undated`: when those without a time were received, by their keys.
    """
    late = {
        position: event
        for position, event in enumerate(events)
        if event.subscriber_id is None and event.attempt is None and event.address and event.kind in LATE_KINDS
    }
    if not late:
        return list(events)
    addresses = [event.address for event in late.values()]
    micros = [microseconds(event, undated) for event in late.values()]
    rows = run(_FIND, (list(late), addresses, micros, WINDOW_DAYS, SKEW_MINUTES))
    attributed = list(events)
    for position, subscriber_id, send_id in rows:
        attributed[position] = late[position]._replace(subscriber_id=subscriber_id, send_id=send_id)
    unmatched = sorted(late.keys() - {position for position, *_ in rows})
    kept = merging.kept_readers({late[position].address for position in unmatched})
    for position in unmatched:
        event = late[position]
        if event.address in kept and event.kind in _BY_WILL:
            # Of which send it was is not known: from every publication.
            attributed[position] = event._replace(subscriber_id=kept[event.address][0])
    return attributed
