"""Reports about somebody else's mail: another installation or application that sends through the same account.

Its requests name another installation, or none. Its ids may be ours by chance. An attempt that we know is ours, since nobody can guess its id; otherwise the address must be
that of the reader whom the ids name.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from tasks.database import high_water
from tasks.database.columns import bigints
from tasks.database.statements import run
from tasks.providers.events import EventKind, ReportedEvent

_ADDRESSES = "SELECT id, lower(email) FROM subscribers_subscriber WHERE id = ANY(%b::bigint[])"


#: Requests of ours by the provider's own id.
_OUR_REQUESTS = """
SELECT provider_id FROM tasks_attempt WHERE provider_id = ANY(%b::text[])
UNION SELECT provider_id FROM tasks_letter WHERE provider_id = ANY(%b::text[])
"""
_COUNT = """
INSERT INTO tasks_webhookstate (provider, foreign_events) VALUES (%b, %b)
ON CONFLICT (provider) DO UPDATE SET foreign_events = tasks_webhookstate.foreign_events + EXCLUDED.foreign_events
"""


def without_foreign(events: Sequence[ReportedEvent], lacking: Collection[UUID]) -> list[ReportedEvent]:
    """Those that may be about our mail. `lacking`: the attempts they name of which we have no record.

    Raises the database's errors.
    """
    return _of_our_readers(_of_our_requests(_of_our_installation(events)), lacking)


def count(provider: str, number: int) -> None:
    """Add to how many of the provider's reports were not about our mail."""
    run(_COUNT, (provider, number))


def _of_our_installation(events: Sequence[ReportedEvent]) -> Sequence[ReportedEvent]:
    named = {event.installation for event in events}
    if named <= {""} or named <= {"", ours := high_water.installation()}:
        return events
    return [event for event in events if event.installation in {"", ours}]


def _of_our_requests(events: Sequence[ReportedEvent]) -> Sequence[ReportedEvent]:
    """Without those who left through a request that is none of ours and that names no id of ours."""

    def is_asked(event: ReportedEvent) -> bool:
        of_nobody = event.subscriber_id is None and event.attempt is None
        return of_nobody and event.kind == EventKind.UNSUBSCRIBED and bool(event.request)

    requests = sorted({event.request for event in events if is_asked(event)})
    if not requests:
        return events
    ours = {request for (request,) in run(_OUR_REQUESTS, (requests, requests))}
    return [event for event in events if not is_asked(event) or event.request in ours]


def _of_our_readers(events: Sequence[ReportedEvent], lacking: Collection[UUID]) -> list[ReportedEvent]:
    doubtful = {
        position: event
        for position, event in enumerate(events)
        if (event.attempt is None or (lacking and event.attempt in lacking))
        and event.subscriber_id is not None
        and event.address
    }
    if not doubtful:
        return list(events)
    readers = sorted({event.subscriber_id for event in doubtful.values() if event.subscriber_id is not None})
    addresses = dict(run(_ADDRESSES, (bigints(readers),)))
    foreign = {position for position, event in doubtful.items() if _is_foreign(event, addresses)}
    return [event for position, event in enumerate(events) if position not in foreign]


def _is_foreign(event: ReportedEvent, addresses: dict[int, str]) -> bool:
    if event.subscriber_id not in addresses:
        # An erased reader's events still come, and name an attempt of ours.
        return event.attempt is not None
    return addresses[event.subscriber_id] != event.address
