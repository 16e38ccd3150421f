"""Whom an event takes off the lists. What a kind means stands in `kinds`; here it is carried out, set by set."""

from collections.abc import Iterable, Sequence

from subscribers import suppression
from subscribers.erased import erased_forms
from subscribers.models import Suppression
from subscribers.suppression import SuppressionRequest
from tasks.database.statements import run
from tasks.feedback.kinds import SUPPRESSING_KINDS, reason_to_suppress
from tasks.providers.events import ReportedEvent

SOURCE = "webhook"

#: The address of each reader now; of a record that was merged, that of the kept one.
_ADDRESSES = """
SELECT asked, lower(s.email) FROM unnest(%b::bigint[]) AS asked
  LEFT JOIN subscribers_mergedreader m ON m.gone_id = asked
  JOIN subscribers_subscriber s ON s.id = COALESCE(m.kept_id, asked)
"""
_ERASED = "SELECT address FROM subscribers_suppression WHERE reason = 'erased' AND address = ANY(%b::text[])"
_PUBLICATIONS = """
SELECT t.id, e.publication_id FROM tasks_send t JOIN composer_edition e ON e.id = t.edition_id
WHERE t.id = ANY(%b::bigint[])
"""
_EVERY_PUBLICATION = """
SELECT DISTINCT n.subscriber_id, l.publication_id
FROM subscribers_subscription n JOIN subscribers_list l ON l.id = n.list_id
WHERE n.subscriber_id = ANY(%b::bigint[])
"""


def carry_out(events: Sequence[ReportedEvent]) -> None:
    """Suppress and unsubscribe what these (new) events say; each further call with them changes nothing."""
    unsubscribing: list[ReportedEvent] = []
    suppressing: list[tuple[ReportedEvent, Suppression.Reason]] = []
    for event in [event for event in events if event.kind in SUPPRESSING_KINDS]:
        reason = reason_to_suppress(event)
        if reason is Suppression.Reason.UNSUBSCRIBED:
            unsubscribing.append(event)
        elif reason is not None:
            suppressing.append((event, reason))
    if unsubscribing:
        suppression.unsubscribe_many(sorted(_subscriptions(unsubscribing)), SOURCE)
    if suppressing:
        suppression.suppress_many(_suppressions(suppressing))


def _suppressions(events: Sequence[tuple[ReportedEvent, Suppression.Reason]]) -> list[SuppressionRequest]:
    """Bounces, complaints and invalid addresses hold everywhere, for the address named; the reader's own if none is.

    Who complains does so about whatever address they have now: another record of theirs may have been merged into it since. An erased
    reader's address is not written down again because of a late event.
    """
    known = dict(run(_ADDRESSES, ([event.subscriber_id for event, _ in events],)))
    details: dict[tuple[str, str], str] = {}
    for event, reason in sorted(events, key=lambda pair: pair[0].key):
        own = known.get(event.subscriber_id, "")
        for address in {event.address or own, own if reason is Suppression.Reason.COMPLAINT else ""}:
            if address:
                details.setdefault((address, reason.value), event.reason)
    erased = _erased({address for address, _ in details})
    return [
        SuppressionRequest(address=address, reason=reason, detail=detail)
        for (address, reason), detail in sorted(details.items())
        if address not in erased
    ]


def _erased(addresses: Iterable[str]) -> set[str]:
    by_hash = {form: address for address in addresses for form in erased_forms(address)}
    return {by_hash[digest] for (digest,) in run(_ERASED, (list(by_hash),))}


def _subscriptions(events: Iterable[ReportedEvent]) -> set[tuple[int, int]]:
    """(subscriber, publication) of each event; every publication when no send of ours tells which."""
    pairs = [(event.subscriber_id, event.send_id) for event in events if event.subscriber_id is not None]
    publications = dict(run(_PUBLICATIONS, ([send for _, send in pairs],)))
    unclear = [subscriber for subscriber, send in pairs if send not in publications]
    chosen = {(subscriber, publications[send]) for subscriber, send in pairs if send in publications}
    if unclear:
        chosen.update((subscriber, publication) for subscriber, publication in run(_EVERY_PUBLICATION, (unclear,)))
    return chosen
