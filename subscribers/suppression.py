"""Addresses we must not mail, and the unsubscribe that a reader asks for. Every function may be repeated freely.

Which suppression wins, and whom it keeps out of a send, is said once, in `subscribers.audience`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db import connection

from subscribers.addresses import spellings
from subscribers.erased import erased_address, is_form
from subscribers.merging import current_ids, kept_readers
from subscribers.models import Suppression

_EVERYWHERE = {
    Suppression.Reason.HARD_BOUNCE,
    Suppression.Reason.SOFT_BOUNCE,
    Suppression.Reason.COMPLAINT,
    Suppression.Reason.INVALID,
    Suppression.Reason.ERASED,
}
_MAX_ADDRESS = 320


@dataclass(frozen=True, kw_only=True)
class SuppressionRequest:
    address: str
    #: One of Suppression.Reason.
    reason: str
    #: None = everywhere, which is what bounces, complaints, invalid addresses and erasures always mean.
    publication_id: int | None = None
    #: What the provider or the person said; cut after 500 characters.
    detail: str = ""


def suppress(address: str, reason: str, *, publication_id: int | None = None, detail: str = "") -> bool:
    """Never mail this address again, for one publication or everywhere; False when that was so already."""
    request = SuppressionRequest(address=address, reason=reason, publication_id=publication_id, detail=detail)
    return suppress_many([request]) > 0


def suppress_many(requests: Iterable[SuppressionRequest]) -> int:
    """Suppress all of them in one statement; the number of those that are new.

    An address that no subscriber can have (blank, with a NUL, longer than 320 characters) is passed over. Raises
    ValueError for an unknown reason, and for an unsubscribe without its publication.
    """
    requests = list(requests)
    requests += _of_kept_readers(requests)
    rows = [row for request in requests if _possible(request.address) for row in _rows(request)]
    if not rows:
        return 0
    addresses, publications, reasons, details = zip(*rows, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_SUPPRESS, [list(addresses), list(publications), list(reasons), list(details)])
        return int(cursor.rowcount)


def unsubscribe(subscriber_id: int, publication_id: int, source: str) -> bool:
    """Take the reader off every list of the publication, for good; False when that was so already.

    `source` says where the wish came from ("one-click", "webhook"); it is kept as proof.
    """
    return unsubscribe_many([(subscriber_id, publication_id)], source) == 1


def unsubscribe_many(pairs: Iterable[tuple[int, int]], source: str) -> int:
    """Unsubscribe (subscriber, publication) pairs in one statement; the number of pairs for which that was new.

    A subscriber who no longer exists is passed over; one whose record became another's is unsubscribed there.
    """
    unique = sorted(set(pairs))
    if not unique:
        return 0
    changed = _unsubscribe(unique, _kept(source, 200))
    # A merge that committed while the statement waited for its rows was not there yet when it looked.
    kept = current_ids([subscriber_id for subscriber_id, _ in unique])
    moved = [(kept[subscriber_id], publication_id) for subscriber_id, publication_id in unique if subscriber_id in kept]
    return min(len(unique), changed + (_unsubscribe(moved, _kept(source, 200)) if moved else 0))


def _unsubscribe(pairs: list[tuple[int, int]], source: str) -> int:
    subscribers, publications = zip(*pairs, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_UNSUBSCRIBE, [list(subscribers), list(publications), source, source])
        (changed,) = cursor.fetchone()
    return int(changed)


def unsubscribe_addresses(requests: Iterable[SuppressionRequest]) -> None:
    """Take the readers with these addresses off the lists, of those requests that are unsubscribes."""
    wanted: dict[tuple[int, str], set[str]] = {}
    for request in requests:
        if request.reason == Suppression.Reason.UNSUBSCRIBED and request.publication_id is not None:
            wanted.setdefault((request.publication_id, request.detail), set()).update(spellings(request.address))
    for (publication_id, detail), addresses in wanted.items():
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM subscribers_subscriber WHERE lower(email) = ANY(%s)", [list(addresses)])
            found = [(subscriber_id, publication_id) for (subscriber_id,) in cursor.fetchall()]
        found += [(kept_id, publication_id) for kept_id, _ in kept_readers(addresses).values()]
        unsubscribe_many(found, detail or "suppressed")


def _of_kept_readers(requests: Iterable[SuppressionRequest]) -> list[SuppressionRequest]:
    """Who complained at an address whose record was merged into another one complained at that as well."""
    complaints = {
        request.address.strip().lower(): request
        for request in requests
        if request.reason == Suppression.Reason.COMPLAINT
    }
    return [
        replace(complaints[address], address=email) for address, (_, email) in kept_readers(complaints.keys()).items()
    ]


def _rows(request: SuppressionRequest) -> list[tuple[str, int | None, str, str]]:
    """One, or two where the domain is written in its own letters."""
    reason = Suppression.Reason(request.reason)
    publication_id = None if reason in _EVERYWHERE else request.publication_id
    if reason in {Suppression.Reason.UNSUBSCRIBED, Suppression.Reason.SUNSET} and publication_id is None:
        raise ValueError(f"{reason.label} holds for one publication: say which.")
    addresses = spellings(request.address)
    if reason == Suppression.Reason.ERASED:
        addresses = [address if is_form(address) else erased_address(address) for address in addresses]
    return [(address, publication_id, reason.value, _kept(request.detail, 500)) for address in addresses]


def _possible(address: str) -> bool:
    return bool(address.strip()) and "\x00" not in address and len(address.strip()) <= _MAX_ADDRESS


def _kept(text: str, length: int) -> str:
    return text.replace("\x00", "")[:length]


# Rows are inserted in the order of their unique key, so that two callers wait for each other but never in a circle.
_SUPPRESS = """
INSERT INTO subscribers_suppression (address, publication_id, reason, detail)
SELECT DISTINCT ON (lower(address), publication_id, reason) lower(address), publication_id, reason, detail
FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[]) AS asked (address, publication_id, reason, detail)
ORDER BY lower(address), publication_id, reason
ON CONFLICT DO NOTHING
"""

# One that is said again is as late as that: a file with an older consent must not undo it.
_UNSUBSCRIBE = """
WITH asked AS (
    SELECT DISTINCT COALESCE(m.kept_id, pair.subscriber_id) AS subscriber_id, pair.publication_id
    FROM unnest(%s::bigint[], %s::bigint[]) AS pair (subscriber_id, publication_id)
    LEFT JOIN subscribers_mergedreader m ON m.gone_id = pair.subscriber_id
), open AS (
    SELECT n.id, asked.publication_id FROM asked
    JOIN subscribers_list l ON l.publication_id = asked.publication_id
    JOIN subscribers_subscription n ON n.list_id = l.id AND n.subscriber_id = asked.subscriber_id
    WHERE n.status <> 'unsubscribed'
    ORDER BY n.id FOR UPDATE OF n
), closed AS (
    UPDATE subscribers_subscription n SET status = 'unsubscribed', changed_at = now()
    FROM open WHERE n.id = open.id
    RETURNING n.subscriber_id, n.list_id, open.publication_id
), proof AS (
    INSERT INTO subscribers_consent (subscriber_id, list_id, kind, source, wording)
    SELECT subscriber_id, list_id, 'withdrawn', %s, '' FROM closed
), suppressed AS (
    INSERT INTO subscribers_suppression (address, publication_id, reason, detail)
    SELECT DISTINCT lower(s.email), asked.publication_id, 'unsubscribed', %s
    FROM asked JOIN subscribers_subscriber s ON s.id = asked.subscriber_id
    ORDER BY 1, 2
    ON CONFLICT (address, publication_id, reason) DO UPDATE SET created_at = now(), detail = excluded.detail
    RETURNING address, publication_id, xmax = 0 AS is_new
)
SELECT count(*) FROM asked JOIN subscribers_subscriber s ON s.id = asked.subscriber_id
WHERE EXISTS (SELECT 1 FROM suppressed x WHERE x.address = lower(s.email) AND x.publication_id = asked.publication_id AND x.is_new)
   OR EXISTS (SELECT 1 FROM closed WHERE closed.subscriber_id = s.id AND closed.publication_id = asked.publication_id)
"""
