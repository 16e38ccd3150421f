"""The database's part of an import: COPY into a temporary table, then one statement for each step.

The order of locks is subscribers by address, then subscriptions by id. Imports take turns from the first set-based
statement on, so that two of them over the same addresses neither wait in a circle nor create anyone twice.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from newsdesk.core.advisory_locks import AdvisoryLock, lock_for_transaction
from subscribers import erased, hashed_suppressions
from subscribers.importing import answers
from subscribers.importing.bringing_back import BRING_BACK
from subscribers.importing.report import Rejection
from subscribers.importing.rows import Row
from subscribers.importing.states import State


@dataclass(frozen=True, kw_only=True)
class Outcome:
    created: int
    updated: int
    unchanged: int
    statuses: dict[str, int]
    rejected: tuple[Rejection, ...]
    #: Who had left, and agreed again later: line, when they left, when they agreed.
    brought_back: tuple[tuple[int, str, str], ...] = ()
    #: Who was not in the file, and is off the list.
    left: int = 0


class Mode(enum.StrEnum):
    """What becomes of those who are known here, and of those who are not in the file."""

    #: Their profile stays as it is.
    ADD = "add"
    #: Filled cells replace, tags are added.
    UPDATE = "update"
    #: As update, but the tags are those of the file.
    REPLACE_TAGS = "replace-tags"
    #: The file is the whole truth: an empty cell takes a value away, and who is not in it leaves the list.
    MIRROR = "mirror"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How the rows are to be taken, and which columns the file has."""

    mode: Mode = Mode.UPDATE
    fields: frozenset[str] = frozenset()
    #: Names of attributes that a column stands for.
    attributes: tuple[str, ...] = ()
    #: A column holds whole JSON objects: all attributes are in the file.
    whole: bool = False
    #: Rows that could not be read: in them may be anybody.
    refused: int = 0


def fill(rows: Iterable[tuple[int, Row]], *, answers_tracking: bool = False) -> None:
    """Copy the rows into the staging table of this transaction, with their answers on tracking if the file has any."""
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        more = f", {answers.STAGED}" if answers_tracking else ""
        with cursor.copy(_COPY.format(more=more)) as copy:
            for line, row in rows:
                # Text throughout: psycopg would look at every list anew, at three times the cost of the rest.
                tags = _array(row.tags)
                profile = (row.email, row.address, row.name, row.language, row.timezone, row.attributes, tags)
                proof = (row.consent_at, row.left_at, row.source, row.wording)
                tracking = row.tracking if answers_tracking else ()
                copy.write_row((line, *profile, int(row.state), *proof, row.list_only, row.explicit, *tracking))
        cursor.execute("ANALYZE newsdesk_import")


def apply(*, publication_id: int, list_id: int, source: str, plan: Plan) -> Outcome:
    """Make the staged rows true. The caller's transaction holds it together."""
    facts: dict[str, int | str] = {"publication": publication_id, "list": list_id, "source": source}
    with connection.cursor() as cursor:
        # Joins of a million rows stay in memory; the setting ends with the transaction.
        cursor.execute("SET LOCAL work_mem = '128MB'")
        lock_for_transaction(cursor, AdvisoryLock.IMPORT)
        rejected = _reject_erased(cursor)
        cursor.execute(_MERGE_DOUBLE)
        if "tracking" in plan.fields:
            cursor.execute(answers.MERGE_DOUBLE)
        rejected += [Rejection(*row) for row in _rows(cursor, _REJECT_DOUBLE)]
        if hashed_suppressions.exist():
            with connection.chunked_cursor() as staged:
                staged.execute("SELECT address FROM newsdesk_import")
                hashed_suppressions.resolve(address for (address,) in staged)
        found = dict(_rows(cursor, "SELECT state, count(*) FROM newsdesk_import GROUP BY state"))
        cursor.execute(_CREATE)
        cursor.execute(_FIND)
        if plan.mode != Mode.ADD:
            _change(cursor, plan)
        if "tracking" in plan.fields:
            answers.apply(cursor, source)
        if any(state != State.ACTIVE for state in found):
            cursor.execute(_KNOWN, facts)
            cursor.execute(_WORSEN, facts)
            cursor.execute(_SUPPRESS, facts)
        brought_back = _rows(cursor, BRING_BACK, facts) if State.ACTIVE in found else []
        cursor.execute(_SUBSCRIBE, facts)
        left = 0
        if plan.mode == Mode.MIRROR and not plan.refused:
            cursor.execute(_LEAVE, facts)
            left = cursor.rowcount
        counts = dict(_rows(cursor, "SELECT outcome, count(*) FROM newsdesk_import GROUP BY outcome"))
        cursor.execute("DROP TABLE newsdesk_import")
    return Outcome(
        created=counts.get("created", 0),
        updated=counts.get("updated", 0),
        unchanged=counts.get("unchanged", 0),
        statuses={state.word: found.get(int(state), 0) for state in State},
        rejected=tuple(rejected),
        brought_back=tuple(brought_back),
        left=left,
    )


def _reject_erased(cursor: Any) -> list[Rejection]:
    rejected: list[Rejection] = []
    for form, exist in erased.sql_forms("newsdesk_import.address"):
        cursor.execute(_REJECT_ERASED.format(exist=exist, form=form), form.params)
        rejected += [Rejection(*row) for row in cursor.fetchall()]
    return rejected


def _change(cursor: Any, plan: Plan) -> None:
    """Update the profiles of those who are known: `_CHANGE`, or with values taken away."""
    if plan.mode == Mode.UPDATE:
        cursor.execute(_CHANGE)
        return
    clears = plan.mode == Mode.MIRROR
    values = {
        name: f"i.{name}" if clears and name in plan.fields else f"COALESCE(NULLIF(i.{name}, ''), s.{name})"
        for name in ("name", "language", "timezone")
    }
    values["tags"] = "i.tags" if "tags" in plan.fields else "s.tags"
    kept = "'{}'::jsonb" if plan.whole else "s.attributes - %(columns)s::text[]"
    values["attributes"] = f"({kept if clears else 's.attributes'}) || i.attributes"
    wanted = ", ".join(f"{value} AS {name}" for name, value in values.items())
    cursor.execute(_REPLACE.format(wanted=wanted), {"columns": list(plan.attributes)})


def _array(texts: tuple[str, ...]) -> str:
    """As PostgreSQL writes an array of texts."""
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"


def _rows(cursor: Any, sql: str, facts: dict[str, int | str] | None = None) -> list[tuple[Any, ...]]:
    cursor.execute(sql, facts)
    return list(cursor.fetchall())


_STAGE = f"""
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
    state smallint NOT NULL,
    consent_at timestamptz,
    left_at timestamptz,
    source text NOT NULL,
    wording text NOT NULL,
    list_only boolean NOT NULL,
    explicit boolean NOT NULL,
    known boolean NOT NULL DEFAULT false,
    subscriber_id bigint,
    outcome text NOT NULL DEFAULT 'unchanged'{answers.STAGE}
) ON COMMIT DROP
"""

_COPY = """
COPY newsdesk_import (
    line, email, address, name, language, timezone, attributes, tags, state, consent_at, left_at, source, wording, list_only, explicit{more}
) FROM STDIN
"""

_REJECT_ERASED = """
DELETE FROM newsdesk_import USING subscribers_suppression x
WHERE {exist} AND x.reason = 'erased' AND x.address = {form}
RETURNING line, 'this reader asked to be erased'
"""

# The first row of an address is taken; the worst that any of them says holds.
_MERGE_DOUBLE = """
UPDATE newsdesk_import i SET state = every.state, left_at = COALESCE(i.left_at, every.left_at), list_only = every.list_only
FROM (
    SELECT address, min(line) AS line, max(state) AS state, min(left_at) AS left_at,
        COALESCE(bool_and(list_only) FILTER (WHERE state >= 2), false) AS list_only
    FROM newsdesk_import GROUP BY address HAVING count(*) > 1
) every
WHERE i.line = every.line AND i.address = every.address AND (i.state < every.state OR i.list_only <> every.list_only)
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
        AND s.attributes @> i.attributes AND s.attributes || i.attributes = s.attributes AND s.tags @> i.tags
    )
    RETURNING s.id
)
UPDATE newsdesk_import SET outcome = 'updated' FROM changed WHERE newsdesk_import.subscriber_id = changed.id
"""

_REPLACE = """
WITH wanted AS (
    SELECT s.id, {wanted} FROM newsdesk_import i JOIN subscribers_subscriber s ON s.id = i.subscriber_id
    WHERE i.outcome = 'unchanged'
), changed AS (
    UPDATE subscribers_subscriber s
    SET name = w.name, language = w.language, timezone = w.timezone, tags = w.tags, attributes = w.attributes
    FROM wanted w WHERE s.id = w.id AND (s.name, s.language, s.timezone, s.tags, s.attributes)
        IS DISTINCT FROM (w.name, w.language, w.timezone, w.tags, w.attributes)
    RETURNING s.id
)
UPDATE newsdesk_import SET outcome = 'updated' FROM changed WHERE newsdesk_import.subscriber_id = changed.id
"""

# Not an unsubscribe, which nobody asked for: whoever is in the next file is on the list again. Consents stay as they are, and
# so does everybody who has left.
_LEAVE = """
DELETE FROM subscribers_subscription n
WHERE n.list_id = %(list)s AND n.status <> 'unsubscribed'
    AND NOT EXISTS (SELECT 1 FROM newsdesk_import i WHERE i.subscriber_id = n.subscriber_id)
"""

# Who is suppressed for this reason already, here or everywhere, alone or with the whole domain: nothing changes for them.
_KNOWN = """
UPDATE newsdesk_import i SET known = true
FROM subscribers_suppression x
WHERE i.state >= 3 AND x.reason = (ARRAY['manual', 'invalid', 'hard_bounce', 'complaint'])[i.state - 2]
    AND x.address IN (i.address, '@' || split_part(i.address, '@', 2))
    AND (x.publication_id IS NULL OR x.publication_id = %(publication)s)
"""

# A worse state takes the place of a better one; nothing here goes the other way. Who has left has left the publication, as
# if he had said so here; who waits for a confirmation waits on this list only. States are numbered as in `State`.
_WORSEN = """
WITH worse AS (
    SELECT n.id, i.state, i.left_at, i.source FROM newsdesk_import i
    JOIN subscribers_subscription n ON n.subscriber_id = i.subscriber_id
    JOIN subscribers_list l ON l.id = n.list_id AND l.publication_id = %(publication)s
    WHERE (i.state >= 2 AND NOT i.known AND n.status <> 'unsubscribed' AND (NOT i.list_only OR n.list_id = %(list)s))
       OR (i.state = 1 AND n.status = 'active' AND n.list_id = %(list)s)
    ORDER BY n.id FOR UPDATE OF n
), closed AS (
    UPDATE subscribers_subscription n SET
        status = CASE WHEN worse.state >= 2 THEN 'unsubscribed' ELSE 'pending' END,
        changed_at = COALESCE(worse.left_at, now())
    FROM worse WHERE n.id = worse.id
    RETURNING n.subscriber_id, n.list_id, worse.state, worse.left_at, worse.source
), proof AS (
    INSERT INTO subscribers_consent (subscriber_id, list_id, kind, source, wording, at)
    SELECT subscriber_id, list_id, 'withdrawn', left(concat_ws('; ', NULLIF(source, ''), %(source)s), 200), '',
        COALESCE(left_at, now())
    FROM closed WHERE state IN (2, 6)
)
UPDATE newsdesk_import SET outcome = 'updated'
FROM closed WHERE newsdesk_import.subscriber_id = closed.subscriber_id AND outcome = 'unchanged'
"""

_SUPPRESS = """
WITH suppressed AS (
    INSERT INTO subscribers_suppression (address, publication_id, reason, detail)
    SELECT address, CASE WHEN state IN (2, 3) THEN %(publication)s::bigint END,
        (ARRAY['unsubscribed', 'manual', 'invalid', 'hard_bounce', 'complaint'])[state - 1], %(source)s
    FROM newsdesk_import WHERE state >= 2 AND NOT known AND NOT list_only
    ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING
    RETURNING address
)
UPDATE newsdesk_import SET outcome = 'updated'
FROM suppressed WHERE newsdesk_import.address = suppressed.address AND outcome = 'unchanged'
"""

# Whoever unsubscribed from the publication is put on the list as what they are, so that a send counts them.
_SUBSCRIBE = """
WITH subscribed AS (
    INSERT INTO subscribers_subscription (subscriber_id, list_id, status, subscribed_at, changed_at)
    SELECT i.subscriber_id, %(list)s,
        CASE WHEN i.state >= 2 OR x.address IS NOT NULL THEN 'unsubscribed' WHEN i.state = 1 THEN 'pending' ELSE 'active' END,
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
    FROM proven WHERE status = 'active' OR (state >= 2 AND consent_at IS NOT NULL)
    UNION ALL
    SELECT subscriber_id, %(list)s, 'withdrawn', source, '', COALESCE(left_at, now()) FROM proven WHERE state IN (2, 6)
)
UPDATE newsdesk_import SET outcome = 'updated'
FROM subscribed WHERE newsdesk_import.subscriber_id = subscribed.subscriber_id AND outcome = 'unchanged'
    AND (subscribed.status = 'active' OR newsdesk_import.state > 0)
"""
