"""What the staged rows make of subscriptions, with their proofs and suppressions: who leaves, who comes, who is off the list."""

from collections.abc import Mapping
from typing import Any

from subscribers.importing.states import State

#: By name: the ids of the `publication` and of the `list`, and the `source` that is kept as proof.
Facts = Mapping[str, int | str]


def worsen(cursor: Any, facts: Facts) -> None:
    """End subscriptions, and suppress addresses, of those who are not active by the file."""
    cursor.execute(_KNOWN, facts)
    cursor.execute(_WORSEN, facts)
    cursor.execute(_SUPPRESS, facts)


def subscribe(cursor: Any, facts: Facts) -> None:
    """Put everybody who is not on the list onto it, as what they are."""
    cursor.execute(_SUBSCRIBE, facts)


def leave(cursor: Any, facts: Facts) -> int:
    """Take everybody off the list who is not in the file; their number."""
    cursor.execute(_LEAVE, facts)
    return int(cursor.rowcount)


# Not an unsubscribe, which nobody asked for: whoever is in the next file is on the list again. Consents stay as they are, and
# so does everybody who has left.
_LEAVE = """
DELETE FROM subscribers_subscription n
WHERE n.list_id = %(list)s AND n.status <> 'unsubscribed'
    AND NOT EXISTS (SELECT 1 FROM newsdesk_import i WHERE i.subscriber_id = n.subscriber_id)
"""

#: A row's state as the reason of a suppression.
_REASON = f"(ARRAY[{', '.join(repr(state.word) for state in State)}])[state + 1]"
_IS_OVER = f"state >= {State.UNSUBSCRIBED}"
#: What readers said themselves: kept with the day on which they did.
_BY_WILL = f"state IN ({State.UNSUBSCRIBED}, {State.COMPLAINT})"
_OF_PUBLICATION = f"state IN ({State.UNSUBSCRIBED}, {State.MANUAL}, {State.SUNSET})"
#: On the list, and suppressed all the same.
_IS_HELD_BACK = f"state IN ({State.SUNSET}, {State.SOFT_BOUNCE})"

# Who is suppressed for this reason already, here or everywhere, alone or with the whole domain: nothing changes for them.
_KNOWN = f"""
UPDATE newsdesk_import i SET known = true
FROM subscribers_suppression x
WHERE (i.state > {State.UNSUBSCRIBED} OR i.{_IS_HELD_BACK}) AND x.reason = {_REASON}
    AND x.address IN (i.address, '@' || split_part(i.address, '@', 2))
    AND (x.publication_id IS NULL OR x.publication_id = %(publication)s)
"""  # noqa: S608 - made of constants

# A worse state takes the place of a better one; nothing here goes the other way. Who has left has left the publication, as
# if he had said so here; who waits for a confirmation waits on this list only.
_WORSEN = f"""
WITH worse AS (
    SELECT n.id, i.state, i.left_at, i.source FROM newsdesk_import i
    JOIN subscribers_subscription n ON n.subscriber_id = i.subscriber_id
    JOIN subscribers_list l ON l.id = n.list_id AND l.publication_id = %(publication)s
    WHERE (i.{_IS_OVER} AND NOT i.known AND n.status <> 'unsubscribed' AND (NOT i.list_only OR n.list_id = %(list)s))
       OR (i.state = {State.PENDING} AND n.status = 'active' AND n.list_id = %(list)s)
    ORDER BY n.id FOR UPDATE OF n
), closed AS (
    UPDATE subscribers_subscription n SET
        status = CASE WHEN worse.{_IS_OVER} THEN 'unsubscribed' ELSE 'pending' END,
        changed_at = COALESCE(worse.left_at, now())
    FROM worse WHERE n.id = worse.id
    RETURNING n.subscriber_id, n.list_id, worse.state, worse.left_at, worse.source
), proof AS (
    INSERT INTO subscribers_consent (subscriber_id, list_id, kind, source, wording, at)
    SELECT subscriber_id, list_id, 'withdrawn', left(concat_ws('; ', NULLIF(source, ''), %(source)s), 200), '',
        COALESCE(left_at, now())
    FROM closed WHERE {_BY_WILL}
)
UPDATE newsdesk_import SET outcome = 'updated'
FROM closed WHERE newsdesk_import.subscriber_id = closed.subscriber_id AND outcome = 'unchanged'
"""  # noqa: S608

# An opt-out that is known already and was said again later, by the file, is as late as that. The others are not touched: an update that
# changes nothing would keep whoever leaves meanwhile waiting.
_SUPPRESS = f"""
WITH suppressed AS (
    INSERT INTO subscribers_suppression AS known (address, publication_id, reason, detail, created_at)
    SELECT address, CASE WHEN {_OF_PUBLICATION} THEN %(publication)s::bigint END,
        {_REASON}, %(source)s, CASE WHEN {_BY_WILL} THEN COALESCE(left_at, now()) ELSE now() END
    FROM newsdesk_import i WHERE ({_IS_OVER} OR {_IS_HELD_BACK}) AND NOT i.known AND NOT list_only
        AND NOT EXISTS (
            SELECT 1 FROM subscribers_suppression x
            WHERE x.address = i.address AND x.reason = {_REASON}
                AND x.publication_id IS NOT DISTINCT FROM CASE WHEN {_OF_PUBLICATION} THEN %(publication)s::bigint END
                AND (NOT {_BY_WILL} OR i.left_at IS NULL OR i.left_at <= x.created_at)
        )
    ORDER BY 1, 2, 3
    ON CONFLICT (address, publication_id, reason) DO UPDATE SET created_at = excluded.created_at
        WHERE excluded.created_at > known.created_at AND excluded.created_at < now()
    RETURNING address, xmax = 0 AS is_new
)
UPDATE newsdesk_import SET outcome = 'updated'
FROM suppressed WHERE newsdesk_import.address = suppressed.address AND outcome = 'unchanged' AND is_new
"""  # noqa: S608

# Whoever unsubscribed from the publication is put on the list as what they are, so that a send counts them.
_SUBSCRIBE = f"""
WITH subscribed AS (
    INSERT INTO subscribers_subscription (subscriber_id, list_id, status, subscribed_at, changed_at)
    SELECT i.subscriber_id, %(list)s,
        CASE WHEN i.{_IS_OVER} OR x.address IS NOT NULL THEN 'unsubscribed' WHEN i.state = {State.PENDING} THEN 'pending' ELSE 'active' END,
        COALESCE(i.consent_at, now()), COALESCE(i.left_at, now())
    FROM newsdesk_import i
    LEFT JOIN subscribers_suppression x
        ON x.address = i.address AND x.reason = 'unsubscribed' AND x.publication_id = %(publication)s
    WHERE NOT EXISTS (
        SELECT 1 FROM subscribers_subscription n WHERE n.list_id = %(list)s AND n.subscriber_id = i.subscriber_id
    )
    ORDER BY i.subscriber_id
    ON CONFLICT (list_id, subscriber_id) DO NOTHING
    RETURNING subscriber_id, status
), proven AS (
    SELECT s.subscriber_id, s.status, i.state, i.consent_at, i.left_at, i.wording,
        left(concat_ws('; ', NULLIF(i.source, ''), %(source)s), 200) AS source
    FROM subscribed s JOIN newsdesk_import i ON i.subscriber_id = s.subscriber_id
), proof AS (
    INSERT INTO subscribers_consent (subscriber_id, list_id, kind, source, wording, at)
    SELECT subscriber_id, %(list)s, 'given', source, wording, COALESCE(consent_at, now())
    FROM proven WHERE status = 'active' OR ({_IS_OVER} AND consent_at IS NOT NULL)
    UNION ALL
    SELECT subscriber_id, %(list)s, 'withdrawn', source, '', COALESCE(left_at, now()) FROM proven WHERE {_BY_WILL}
)
UPDATE newsdesk_import SET outcome = 'updated'
FROM subscribed WHERE newsdesk_import.subscriber_id = subscribed.subscriber_id AND outcome = 'unchanged'
    AND (subscribed.status = 'active' OR newsdesk_import.state > {State.ACTIVE})
"""  # noqa: S608
