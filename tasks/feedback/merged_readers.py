"""Reports about mails to a record that became another's: they name the id that is gone."""

from collections.abc import Sequence

from tasks.database.columns import bigints
from tasks.database.statements import run
from tasks.providers.events import ReportedEvent

#: Most installations have never merged anybody: that is asked first.
_KEPT = """
SELECT gone_id, kept_id FROM subscribers_mergedreader
WHERE EXISTS (SELECT 1 FROM subscribers_mergedreader) AND gone_id = ANY(%b::bigint[])
"""
_STILL_THERE = """
SELECT d.send_id, d.subscriber_id FROM unnest(%b::bigint[], %b::bigint[]) AS r (send_id, subscriber_id)
JOIN tasks_delivery d ON d.send_id = r.send_id AND d.subscriber_id = r.subscriber_id
JOIN tasks_batch b ON b.id = d.batch_id AND b.status NOT IN ('pending', 'building')
WHERE NOT EXISTS (SELECT 1 FROM tasks_exclusion x WHERE x.send_id = d.send_id AND x.subscriber_id = d.subscriber_id)
"""


def of_kept_readers(events: Sequence[ReportedEvent]) -> list[ReportedEvent]:
    """The same events, those of deliveries that moved under the id that has them now.

    A delivery that could not move is still under its old id, and so are the reports about it; one that was still to come was not
    posted, and none is about that. One that names no address
    stays as it is: a bounce would be taken for one of the address that was kept.
    """
    named = {event.subscriber_id for event in events if event.subscriber_id is not None and event.address}
    kept = dict(run(_KEPT, (bigints(list(named)),))) if named else {}
    if not kept:
        return list(events)
    keys = [(event.send_id, event.subscriber_id) for event in events if event.subscriber_id in kept]
    there = set(run(_STILL_THERE, ([send for send, _ in keys], [reader for _, reader in keys])))
    return [
        event._replace(subscriber_id=kept[event.subscriber_id])
        if event.address and event.subscriber_id in kept and (event.send_id, event.subscriber_id) not in there
        else event
        for event in events
    ]
