"""The database's part of an import: COPY into a temporary table, then one statement for each step.

The order of locks is subscribers by address, then subscriptions by id. Imports take turns from the first set-based
statement on, so that two of them over the same addresses neither wait in a circle nor create anyone twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from newsdesk.core.advisory_locks import AdvisoryLock, lock_for_transaction
from subscribers.importing.report import Rejection
from subscribers.importing.rows import Row


@dataclass(frozen=True, kw_only=True)
class Outcome:
    created: int
    updated: int
    unchanged: int
    rejected: tuple[Rejection, ...]


def fill(rows: Iterable[tuple[int, Row]]) -> None:
    """Copy the rows into the staging table of this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        with cursor.copy(_COPY) as copy:
            for line, row in rows:
                # Text throughout: psycopg would look at every list anew, at three times the cost of the rest.
                tags = _array(row.tags)
                copy.write_row(
                    (line, row.email, row.address, row.name, row.language, row.timezone, row.attributes, tags)
                )
        cursor.execute("ANALYZE newsdesk_import")


def apply(*, publication_id: int, list_id: int, source: str) -> Outcome:
    """Make the staged rows true. The caller's transaction holds it together."""
    facts: dict[str, int | str] = {"publication": publication_id, "list": list_id, "source": source}
    with connection.cursor() as cursor:
        # Joins of a million rows stay in memory; the setting ends with the transaction.
        cursor.execute("SET LOCAL work_mem = '128MB'")
        lock_for_transaction(cursor, AdvisoryLock.IMPORT)
        rejected = [Rejection(*row) for row in _rows(cursor, _REJECT_ERASED)]
        rejected += [Rejection(*row) for row in _rows(cursor, _REJECT_DOUBLE)]
        cursor.execute(_CREATE)
        cursor.execute(_FIND)
        cursor.execute(_CHANGE)
        cursor.execute(_SUBSCRIBE, facts)
        cursor.execute(_ACTIVATE, facts)
        counts = dict(_rows(cursor, "SELECT outcome, count(*) FROM newsdesk_import GROUP BY outcome"))
        cursor.execute("DROP TABLE newsdesk_import")
    return Outcome(
        created=counts.get("created", 0),
        updated=counts.get("updated", 0),
        unchanged=counts.get("unchanged", 0),
        rejected=tuple(rejected),
    )


def _array(texts: tuple[str, ...]) -> str:
    """As PostgreSQL writes an array of texts."""
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"


def _rows(cursor: Any, sql: str) -> list[tuple[Any, ...]]:
    cursor.execute(sql)
    return list(cursor.fetchall())


_STAGE = """
DROP TABLE IF EXISTS pg_temp.newsdesk_import;
CREATE TEMPORARY TABLE newsdesk_import (
    line integer NOT NULL,
    email text NOT NULL,
    address text NOT NULL,
    name text NOT NULL,
    language text NOT NULL,
    timezone text NOT NULL,
    attributes jsonb NOT NULL,
    tags varchar[] NOT NULL,
    subscriber_id bigint,
    outcome text NOT NULL DEFAULT 'unchanged'
) ON COMMIT DROP
"""

_COPY = "COPY newsdesk_import (line, email, address, name, language, timezone, attributes, tags) FROM STDIN"

_REJECT_ERASED = """
DELETE FROM newsdesk_import USING subscribers_suppression x
WHERE EXISTS (SELECT 1 FROM subscribers_suppression WHERE reason = 'erased')
  AND x.reason = 'erased'
  AND x.address = 'sha256:' || encode(sha256(convert_to(newsdesk_import.address, 'UTF8')), 'hex')
RETURNING line, 'this reader asked to be erased'
"""

_REJECT_DOUBLE = """
DELETE FROM newsdesk_import USING (
    SELECT address, min(line) AS line FROM newsdesk_import GROUP BY address HAVING count(*) > 1
) first
WHERE newsdesk_import.address = first.address AND newsdesk_import.line > first.line
RETURNING newsdesk_import.line, 'the same address as on line ' || first.line
"""

_CREATE = """
WITH created AS (
    INSERT INTO subscribers_subscriber (email, name, language, timezone, attributes, tags)
    SELECT email, name, language, timezone, attributes, tags FROM newsdesk_import
    WHERE NOT EXISTS (SELECT 1 FROM subscribers_subscriber s WHERE lower(s.email) = newsdesk_import.address)
    ORDER BY address
    ON CONFLICT (lower(email)) DO NOTHING
    RETURNING id, lower(email) AS address
)
UPDATE newsdesk_import SET subscriber_id = created.id, outcome = 'created'
FROM created WHERE newsdesk_import.address = created.address
"""

_FIND = """
UPDATE newsdesk_import SET subscriber_id = s.id FROM subscribers_subscriber s
WHERE newsdesk_import.subscriber_id IS NULL AND lower(s.email) = newsdesk_import.address
"""

_CHANGE = """
WITH changed AS (
    UPDATE subscribers_subscriber s SET
        name = COALESCE(NULLIF(i.name, ''), s.name),
        language = COALESCE(NULLIF(i.language, ''), s.language),
        timezone = COALESCE(NULLIF(i.timezone, ''), s.timezone),
        attributes = s.attributes || i.attributes,
        tags = s.tags || ARRAY(SELECT tag FROM unnest(i.tags) AS tag WHERE tag <> ALL (s.tags))
    FROM newsdesk_import i
    WHERE s.id = i.subscriber_id AND i.outcome = 'unchanged' AND NOT (
        i.name IN ('', s.name) AND i.language IN ('', s.language) AND i.timezone IN ('', s.timezone)
        AND s.attributes @> i.attributes AND s.tags @> i.tags
    )
    RETURNING s.id
)
UPDATE newsdesk_import SET outcome = 'updated' FROM changed WHERE newsdesk_import.subscriber_id = changed.id
"""

_PROVE = """, proof AS (
    INSERT INTO subscribers_consent (subscriber_id, list_id, kind, source, wording)
    SELECT subscriber_id, %(list)s, 'given', %(source)s, '' FROM activated
)
UPDATE newsdesk_import SET outcome = 'updated'
FROM activated WHERE newsdesk_import.subscriber_id = activated.subscriber_id AND outcome = 'unchanged'
"""

# Whoever unsubscribed from the publication is put on the list as what they are, so that a send counts them.
_SUBSCRIBE = (
    """
WITH subscribed AS (
    INSERT INTO subscribers_subscription (subscriber_id, list_id, status)
    SELECT i.subscriber_id, %(list)s, CASE WHEN x.address IS NULL THEN 'active' ELSE 'unsubscribed' END
    FROM newsdesk_import i
    LEFT JOIN subscribers_suppression x
        ON x.address = i.address AND x.reason = 'unsubscribed' AND x.publication_id = %(publication)s
    WHERE NOT EXISTS (
        SELECT 1 FROM subscribers_subscription n WHERE n.list_id = %(list)s AND n.subscriber_id = i.subscriber_id
    )
    ORDER BY i.subscriber_id
    ON CONFLICT (list_id, subscriber_id) DO NOTHING
    RETURNING subscriber_id, status
), activated AS (
    SELECT subscriber_id FROM subscribed WHERE status = 'active'
)"""  # noqa: S608 - made of constants
    + _PROVE
)

_ACTIVATE = (
    """
WITH pending AS (
    SELECT n.id FROM newsdesk_import i
    JOIN subscribers_subscription n ON n.list_id = %(list)s AND n.subscriber_id = i.subscriber_id
    WHERE n.status = 'pending' AND NOT EXISTS (
        SELECT 1 FROM subscribers_suppression x
        WHERE x.address = i.address AND x.reason = 'unsubscribed' AND x.publication_id = %(publication)s
    )
    ORDER BY n.id FOR UPDATE OF n
), activated AS (
    UPDATE subscribers_subscription n SET status = 'active', changed_at = now()
    FROM pending WHERE n.id = pending.id
    RETURNING n.subscriber_id
)"""  # noqa: S608 - made of constants
    + _PROVE
)
