"""Adding what we lack of one page of a list, and counting it; never what a person has set free here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import NamedTuple

from subscribers import suppression
from subscribers.models import Suppression
from subscribers.suppression import SuppressionRequest
from tasks.models import SuppressionSync
from tasks.providers.base import SuppressedAddress, SuppressionList
from tasks.providers.registry import title_of
from tasks.suppression_sync.missing_entries import missing_suppressions, missing_unsubscribes

#: Days before the last finished sync from which entries are looked at again.
OVERLAP_DAYS = 2


@dataclass(kw_only=True)
class ListResult:
    """What came of one list so far: the numbers of SuppressionSync.found."""

    theirs: int = 0
    added: int = 0
    known: int = 0
    freed: int = 0
    #: Of those added: a mail of ours went to the reader just before, and no event reached us.
    lost: int = 0
    done: bool = False
    #: Digests of what was added: should a person set it free, the next night must not add it again.
    remembered: list[str] = field(default_factory=list)


class _Added(NamedTuple):
    entries: list[SuppressedAddress]
    freed: int
    lost: int


def add_missing(
    sync: SuppressionSync,
    listed: SuppressionList,
    entries: Sequence[SuppressedAddress],
    result: ListResult,
    since: int | None,
) -> None:
    """Add what we lack of one page of a list, and count it in `result`; in the caller's transaction.

    `since`: Unix seconds from which entries are looked at; None = all of them.
    """
    handled = _added_before(sync, listed.name, since)
    add = _unsubscribe if listed.reason == Suppression.Reason.UNSUBSCRIBED else _suppress
    added = add(sync, listed, entries, handled)
    result.theirs += len(entries)
    result.added += len(added.entries)
    result.freed += added.freed
    result.known += len(entries) - len(added.entries) - added.freed
    result.lost += added.lost
    recent = int(sync.started_at.timestamp()) - (OVERLAP_DAYS + 1) * 86400
    oldest = recent if since is None else since
    result.remembered += [_digest(entry) for entry in added.entries if entry.created >= oldest]


def _suppress(
    sync: SuppressionSync, listed: SuppressionList, entries: Sequence[SuppressedAddress], handled: set[str]
) -> _Added:
    missing = missing_suppressions(entries, listed)
    lacking = [row for row in missing if not row.heard and _digest(entries[row.position]) not in handled]
    added = [entries[row.position] for row in lacking]
    source = _source(sync)
    suppression.suppress_many(
        SuppressionRequest(
            address=entry.address, reason=listed.reason, detail=f"{source}: {entry.reason}" if entry.reason else source
        )
        for entry in added
    )
    return _Added(added, freed=len(missing) - len(lacking), lost=sum(row.ours for row in lacking))


def _unsubscribe(
    sync: SuppressionSync, listed: SuppressionList, entries: Sequence[SuppressedAddress], handled: set[str]
) -> _Added:
    pairs: list[tuple[int, int]] = []
    #: By position, whether the event was lost.
    added: dict[int, bool] = {}
    freed: set[int] = set()
    for row in missing_unsubscribes(entries, listed):
        if row.subscribed_again or row.heard_here or _digest(entries[row.position]) in handled:
            freed.add(row.position)
            continue
        pairs.append((row.subscriber_id, row.publication_id))
        added[row.position] = row.ours and not row.heard
    suppression.unsubscribe_many(pairs, _source(sync))
    return _Added([entries[position] for position in added], freed=len(freed - added.keys()), lost=sum(added.values()))


def _added_before(sync: SuppressionSync, name: str, since: int | None) -> set[str]:
    """Digests of what earlier syncs added that may have seen the same entries."""
    earlier = SuppressionSync.objects.filter(transport=sync.transport, pk__lt=sync.pk)
    if since is not None:
        earlier = earlier.filter(started_at__gte=datetime.fromtimestamp(since, UTC))
    return {
        digest
        for lists in earlier.values_list("found", flat=True)
        for digest in lists.get(name, {}).get("remembered", ())
    }


def _digest(entry: SuppressedAddress) -> str:
    return blake2b(f"{entry.address}\0{entry.created}".encode(), digest_size=8).hexdigest()


def _source(sync: SuppressionSync) -> str:
    return f"{title_of(sync.transport)}'s list, {sync.started_at:%Y-%m-%d}"
