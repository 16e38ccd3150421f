"""Which of the provider's entries we lack, and what is known here of each of those readers."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection

from subscribers.erased import erased_forms
from tasks.providers.base import SuppressedAddress, SuppressionList

#: An entry's event may be an hour older than the entry. `ours`: a mail of ours went to the reader just before.
_TRACES = """
    EXISTS (SELECT 1 FROM tasks_event e WHERE e.send_id IS NULL AND e.subscriber_id = s.id AND e.kind = ANY(%(kinds)s)
             AND e.at > to_timestamp(t.created) - interval '1 hour')
 OR EXISTS (SELECT 1 FROM tasks_send m JOIN tasks_event e ON e.send_id = m.id AND e.subscriber_id = s.id
             WHERE e.kind = ANY(%(kinds)s) AND e.at > to_timestamp(t.created) - interval '1 hour'
               AND m.prepared_at > to_timestamp(t.created) - interval '11 days') AS heard,
    EXISTS (SELECT 1 FROM tasks_send m JOIN tasks_delivery d ON d.send_id = m.id AND d.subscriber_id = s.id
             WHERE m.prepared_at BETWEEN to_timestamp(t.created) - interval '10 days'
                                     AND to_timestamp(t.created) + interval '5 minutes') AS ours
"""
_MISSING_SUPPRESSIONS = f"""
SELECT t.position, {_TRACES}
  FROM unnest(%(positions)s::int[], %(addresses)s::text[], %(hashes)s::text[], %(created)s::bigint[])
       AS t(position, address, hashes, created)
  LEFT JOIN subscribers_subscriber s ON lower(s.email) = t.address
 WHERE NOT EXISTS (SELECT 1 FROM subscribers_suppression x
                    WHERE (x.address = t.address AND x.reason = %(reason)s)
                       OR (x.address = ANY(string_to_array(t.hashes, ' ')) AND x.reason = 'erased'))
"""  # noqa: S608 - one text of ours in another
#: One row for each publication that the reader is on and has not left.
_MISSING_UNSUBSCRIBES = f"""
SELECT t.position, t.subscriber_id, t.publication_id, t.subscribed_again, t.heard_here, t.heard, t.ours FROM (
SELECT t.position, s.id AS subscriber_id, l.publication_id,
       EXISTS (SELECT 1 FROM subscribers_consent c JOIN subscribers_list o ON o.id = c.list_id
                WHERE c.subscriber_id = s.id AND o.publication_id = l.publication_id AND c.kind = 'given'
                  AND c.at > to_timestamp(t.created)) AS subscribed_again,
       EXISTS (SELECT 1 FROM tasks_send m JOIN composer_edition w ON w.id = m.edition_id
                 JOIN tasks_event e ON e.send_id = m.id AND e.subscriber_id = s.id
                WHERE w.publication_id = l.publication_id AND e.kind = ANY(%(kinds)s)
                  AND e.at > to_timestamp(t.created) - interval '1 hour') AS heard_here, {_TRACES}
  FROM unnest(%(positions)s::int[], %(addresses)s::text[], %(created)s::bigint[]) AS t(position, address, created)
  JOIN subscribers_subscriber s ON lower(s.email) = t.address
  JOIN LATERAL (SELECT DISTINCT o.publication_id FROM subscribers_subscription n
                  JOIN subscribers_list o ON o.id = n.list_id WHERE n.subscriber_id = s.id) l ON true
 WHERE NOT EXISTS (SELECT 1 FROM subscribers_suppression x WHERE x.address = t.address
                    AND x.reason = 'unsubscribed' AND x.publication_id = l.publication_id)
) t
"""  # noqa: S608 - one text of ours in another


class MissingSuppression(NamedTuple):
    #: Of the entry in the page.
    position: int
    #: An event of it is stored: it was suppressed here, and a person has set it free since.
    heard: bool
    #: A mail of ours went to the reader just before.
    ours: bool


class MissingUnsubscribe(NamedTuple):
    """One for each publication that the reader is on and has not left."""

    position: int
    subscriber_id: int
    publication_id: int
    #: The reader gave their consent to this publication after the entry was made.
    subscribed_again: bool
    #: An event of it is stored for a send of this publication.
    heard_here: bool
    #: An event of it is stored, of whichever send.
    heard: bool
    ours: bool


def missing_suppressions(entries: Sequence[SuppressedAddress], listed: SuppressionList) -> list[MissingSuppression]:
    """The entries whose address is neither suppressed here for this reason nor erased."""
    hashes = [" ".join(erased_forms(entry.address)) for entry in entries]
    rows = _query(_MISSING_SUPPRESSIONS, entries, kinds=list(listed.kinds), reason=listed.reason, hashes=hashes)
    return [MissingSuppression(*row) for row in rows]


def missing_unsubscribes(entries: Sequence[SuppressedAddress], listed: SuppressionList) -> list[MissingUnsubscribe]:
    """The entries whose reader has not left a publication that they are on."""
    return [MissingUnsubscribe(*row) for row in _query(_MISSING_UNSUBSCRIBES, entries, kinds=list(listed.kinds))]


def _query(sql: str, entries: Sequence[SuppressedAddress], **more: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            {
                "positions": list(range(len(entries))),
                "addresses": [entry.address.replace("\0", "") for entry in entries],
                "created": [entry.created for entry in entries],
                **more,
            },
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
