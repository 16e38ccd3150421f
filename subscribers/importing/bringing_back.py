"""The one way in which somebody who had left comes back by a file: they agreed again, later, and the file says when.

Only from `unsubscribed`: nobody who complained, bounced, was invalid, blocked or erased comes back so. The date must be one of a
consent, and without a zone it counts as the earliest that it can mean; when they left is the latest that is known here, also where they
said so while they were on no list. They are back on this list only.
"""

from subscribers.importing.states import State

# A suppression of the publication is lifted with it, and no other list of the publication comes to life by that.
BRING_BACK = f"""
WITH leavers AS (
    SELECT i.line, i.address, i.subscriber_id, i.consent_at, COALESCE(i.consent_earliest, i.consent_at) AS earliest, i.wording, i.source,
        GREATEST(
            (SELECT max(c.at) FROM subscribers_consent c JOIN subscribers_list l ON l.id = c.list_id
              WHERE c.subscriber_id = i.subscriber_id AND c.kind = 'withdrawn' AND l.publication_id = %(publication)s),
            (SELECT max(n.changed_at) FROM subscribers_subscription n
              WHERE n.subscriber_id = i.subscriber_id AND n.list_id = %(list)s AND n.status = 'unsubscribed'),
            (SELECT max(x.created_at) FROM subscribers_suppression x
              WHERE x.address = i.address AND x.reason = 'unsubscribed' AND x.publication_id = %(publication)s)
        ) AS left_at
    FROM newsdesk_import i
    WHERE i.state = {State.ACTIVE} AND i.explicit AND i.consent_at IS NOT NULL
        AND NOT EXISTS (
            SELECT 1 FROM subscribers_suppression x
            WHERE ((x.address = i.address AND x.reason <> 'unsubscribed') OR x.address = '@' || split_part(i.address, '@', 2))
                AND (x.publication_id IS NULL OR x.publication_id = %(publication)s)
        )
        AND (
            EXISTS (SELECT 1 FROM subscribers_subscription n WHERE n.subscriber_id = i.subscriber_id
                     AND n.list_id = %(list)s AND n.status = 'unsubscribed')
            OR EXISTS (SELECT 1 FROM subscribers_suppression x WHERE x.address = i.address
                        AND x.reason = 'unsubscribed' AND x.publication_id = %(publication)s)
        )
), back AS (
    SELECT * FROM leavers WHERE earliest > left_at
), lifted AS (
    DELETE FROM subscribers_suppression x USING back
    WHERE x.address = back.address AND x.reason = 'unsubscribed' AND x.publication_id = %(publication)s
), others AS (
    UPDATE subscribers_subscription n SET status = 'unsubscribed', changed_at = now()
    FROM back, subscribers_list l
    WHERE n.subscriber_id = back.subscriber_id AND l.id = n.list_id AND l.publication_id = %(publication)s
        AND n.list_id <> %(list)s AND n.status <> 'unsubscribed'
        AND EXISTS (SELECT 1 FROM subscribers_suppression x WHERE x.address = back.address
                     AND x.reason = 'unsubscribed' AND x.publication_id = %(publication)s)
), joined AS (
    INSERT INTO subscribers_subscription AS n (subscriber_id, list_id, status, subscribed_at)
    SELECT subscriber_id, %(list)s, 'active', consent_at FROM back ORDER BY subscriber_id
    ON CONFLICT (list_id, subscriber_id) DO UPDATE SET status = 'active', changed_at = now(), subscribed_at = excluded.subscribed_at
), proof AS (
    INSERT INTO subscribers_consent (subscriber_id, list_id, kind, source, wording, at)
    SELECT subscriber_id, %(list)s, 'given', left(concat_ws('; ', NULLIF(source, ''), %(source)s), 200), wording, consent_at
    FROM back
), marked AS (
    UPDATE newsdesk_import i SET outcome = 'updated' FROM back WHERE i.line = back.line AND i.outcome = 'unchanged'
)
SELECT line, to_char(left_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), to_char(consent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')
FROM back ORDER BY line
"""  # noqa: S608 - made of constants
