"""The database's part of an import: COPY into a temporary table, then one statement for each step.

What becomes of known profiles, of subscriptions, and of answers on tracking stands in `profiles`, `subscriptions`, `bringing_back` and
`answers`.

The order of locks is subscribers by address, then subscriptions by id. Imports take turns from the first set-based
statement on, so that two of them over the same addresses neither wait in a circle nor create anyone twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from newsdesk.core.advisory_locks import AdvisoryLock, lock_for_transaction
from subscribers import erased, hashed_suppressions
from subscribers.importing import answers, profiles, subscriptions
from subscribers.importing.bringing_back import BRING_BACK
from subscribers.importing.plan import Mode, Plan
from subscribers.importing.report import Rejection
from subscribers.importing.rows import Row
from subscribers.importing.states import State

_OURS = {State.SUNSET, State.SOFT_BOUNCE}


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
                of_consent = (row.list_only, row.explicit, row.consent_earliest)
                copy.write_row((line, *profile, int(row.state), *proof, *of_consent, *tracking))
        cursor.execute("ANALYZE newsdesk_import")


def apply(*, publication_id: int, list_id: int, source: str, plan: Plan) -> Outcome:
    """Make the staged rows true. The caller's transaction holds it together."""
    facts: dict[str, int | str] = {"publication": publication_id, "list": list_id, "source": source}
    with connection.cursor() as cursor:
        # Joins of a million rows stay in memory; the setting ends with the transaction.
        cursor.execute("SET LOCAL work_mem = '128MB'")
        lock_for_transaction(cursor, AdvisoryLock.IMPORT)
        rejected = _reject_erased(cursor)
        _mean_kept_records(cursor)
        rejected += _merge_double(cursor, plan)
        if hashed_suppressions.exist():
            with connection.chunked_cursor() as staged:
                staged.execute("SELECT address FROM newsdesk_import")
                hashed_suppressions.resolve(address for (address,) in staged)
        found = dict(_rows(cursor, "SELECT state, count(*) FROM newsdesk_import GROUP BY state"))
        cursor.execute(_FIND)
        cursor.execute(_CREATE)
        if _rows(cursor, _IS_ANY_UNKNOWN)[0][0]:
            # Made by somebody else since the first look.
            cursor.execute(_FIND)
        profiles.change(cursor, plan)
        if "tracking" in plan.fields:
            answers.apply(cursor, source)
        if any(state != State.ACTIVE for state in found):
            subscriptions.worsen(cursor, facts)
        brought_back = _rows(cursor, BRING_BACK, facts) if State.ACTIVE in found else []
        subscriptions.subscribe(cursor, facts)
        left = 0
        if plan.mode == Mode.MIRROR and not plan.refused:
            left = subscriptions.leave(cursor, facts)
        counts = dict(_rows(cursor, "SELECT outcome, count(*) FROM newsdesk_import GROUP BY outcome"))
        cursor.execute("DROP TABLE newsdesk_import")
    return Outcome(
        created=counts.get("created", 0),
        updated=counts.get("updated", 0),
        unchanged=counts.get("unchanged", 0),
        # These are named only where they occur: no other service's file has them.
        statuses={state.word: found.get(int(state), 0) for state in State if state not in _OURS or state in found},
        rejected=tuple(rejected),
        brought_back=tuple(brought_back),
        left=left,
    )


def _merge_double(cursor: Any, plan: Plan) -> list[Rejection]:
    """One row for each address; the others are rejected."""
    rejected: list[Rejection] = []
    cursor.execute(_DOUBLE)
    # Grouping a million rows costs: it is done once, and what follows from it only where there is any.
    if cursor.rowcount:
        cursor.execute(_MERGE_DOUBLE)
        if "tracking" in plan.fields:
            cursor.execute(answers.MERGE_DOUBLE)
        rejected = [Rejection(*row) for row in _rows(cursor, _REJECT_DOUBLE)]
    cursor.execute("DROP TABLE newsdesk_import_double")
    return rejected


def _reject_erased(cursor: Any) -> list[Rejection]:
    rejected: list[Rejection] = []
    for form, exist in erased.sql_forms("newsdesk_import.address"):
        cursor.execute(_REJECT_ERASED.format(exist=exist, form=form), form.params)
        rejected += [Rejection(*row) for row in cursor.fetchall()]
    return rejected


def _mean_kept_records(cursor: Any) -> None:
    """A row with the address of a record that was merged into another is about that one: it comes back under neither."""
    for form in erased.sql_keyed_forms("newsdesk_import.address"):
        cursor.execute(_MEAN_KEPT.format(form=form), form.params)


def _array(texts: tuple[str, ...]) -> str:
    """As PostgreSQL writes an array of texts."""
    if not texts:
        return "{}"
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
    consent_earliest timestamptz,
    known boolean NOT NULL DEFAULT false,
    subscriber_id bigint,
    outcome text NOT NULL DEFAULT 'unchanged'{answers.STAGE}
) ON COMMIT DROP
"""

_COPY = """
COPY newsdesk_import (
    line, email, address, name, language, timezone, attributes, tags, state, consent_at, left_at, source, wording, list_only, explicit, consent_earliest{more}
) FROM STDIN
"""

_REJECT_ERASED = """
DELETE FROM newsdesk_import USING subscribers_suppression x
WHERE {exist} AND x.reason = 'erased' AND x.address = {form}
RETURNING line, 'this reader asked to be erased'
"""

_MEAN_KEPT = """
UPDATE newsdesk_import SET email = s.email, address = lower(s.email)
FROM subscribers_mergedreader m JOIN subscribers_subscriber s ON s.id = m.kept_id
WHERE EXISTS (SELECT 1 FROM subscribers_mergedreader WHERE address <> '') AND m.address = {form}
    AND NOT EXISTS (SELECT 1 FROM subscribers_subscriber again WHERE lower(again.email) = newsdesk_import.address)
"""

_DOUBLE = f"""
CREATE TEMPORARY TABLE newsdesk_import_double ON COMMIT DROP AS
SELECT address, min(line) AS line, max(state) AS state, min(left_at) AS left_at,
    COALESCE(bool_and(list_only) FILTER (WHERE state >= {State.UNSUBSCRIBED}), false) AS list_only
FROM newsdesk_import GROUP BY address HAVING count(*) > 1
"""  # noqa: S608 - made of constants

# The first row of an address is taken; the worst that any of them says holds.
_MERGE_DOUBLE = """
UPDATE newsdesk_import i SET state = every.state, left_at = COALESCE(i.left_at, every.left_at), list_only = every.list_only
FROM newsdesk_import_double every
WHERE i.line = every.line AND i.address = every.address AND (i.state < every.state OR i.list_only <> every.list_only)
"""

_REJECT_DOUBLE = """
DELETE FROM newsdesk_import USING newsdesk_import_double first
WHERE newsdesk_import.address = first.address AND newsdesk_import.line > first.line
RETURNING newsdesk_import.line, 'the same address as on line ' || first.line
"""

# In the order in which the rows lie: a session keeps 8 MB of a temporary table at hand, and a row in another place would be read and
# written for itself, at as much as making the reader costs.
_CREATE = """
WITH created AS (
    INSERT INTO subscribers_subscriber (email, name, language, timezone, attributes, tags)
    SELECT email, name, language, timezone, attributes, tags FROM newsdesk_import WHERE subscriber_id IS NULL
    ORDER BY address
    ON CONFLICT (lower(email)) DO NOTHING
    RETURNING id, lower(email) AS address
), placed AS (
    SELECT i.ctid AS place, created.id FROM created JOIN newsdesk_import i USING (address) ORDER BY i.ctid
)
UPDATE newsdesk_import SET subscriber_id = placed.id, outcome = 'created'
FROM placed WHERE newsdesk_import.ctid = placed.place
"""

_FIND = """
UPDATE newsdesk_import SET subscriber_id = s.id FROM subscribers_subscriber s
WHERE newsdesk_import.subscriber_id IS NULL AND lower(s.email) = newsdesk_import.address
"""

_IS_ANY_UNKNOWN = "SELECT EXISTS (SELECT 1 FROM newsdesk_import WHERE subscriber_id IS NULL)"
