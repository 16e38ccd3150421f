"""Reports about somebody else's mail: another installation or application that sends through the same account.

Its ids may be ours by chance. An attempt that we know is ours, since nobody can guess its id; otherwise the address must be
that of the reader whom the ids name.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from tasks.database.statements import run
from tasks.providers.events import ReportedEvent

_ADDRESSES = "SELECT id, lower(email) FROM subscribers_subscriber WHERE id = ANY(%b::bigint[])"


def without_foreign(events: Sequence[ReportedEvent], lacking: Collection[UUID]) -> list[ReportedEvent]:
    """Those that may be about our mail. `lacking`: the attempts they name of which we have no record.

    Raises the database's errors.
    """
    doubtful = {
        position: event
        for position, event in enumerate(events)
        if event.subscriber_id is not None and event.address and (event.attempt is None or event.attempt in lacking)
    }
    if not doubtful:
        return list(events)
    readers = sorted({event.subscriber_id for event in doubtful.values() if event.subscriber_id is not None})
    addresses = dict(run(_ADDRESSES, (readers,)))
    foreign = {position for position, event in doubtful.items() if _is_foreign(event, addresses)}
    return [event for position, event in enumerate(events) if position not in foreign]


def _is_foreign(event: ReportedEvent, addresses: dict[int, str]) -> bool:
    if event.subscriber_id not in addresses:
        # An erased reader's events still come, and name an attempt of ours.
        return event.attempt is not None
    return addresses[event.subscriber_id] != event.address
