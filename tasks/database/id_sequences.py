"""Ids that are given away once, also when a backup is restored: mails in people's mailboxes name readers by them.

Of a mail that went out after the backup a link to unsubscribe would lead to whoever got that id since.
"""

from typing import Any

import psycopg

from tasks.database.statements import run

#: So many ids of readers are passed over where nobody knows how far they had got.
LEAP = 1_000_000
#: The numbers of fences follow the mark (`tasks.database.high_water`).
_LAST = """
SELECT sequencename::text, last_value FROM pg_sequences
 WHERE schemaname = current_schema() AND last_value IS NOT NULL AND sequencename <> 'tasks_fence_number'
"""
_CONTINUE = """
SELECT setval(format('%%I.%%I', mine.schemaname, mine.sequencename)::regclass, later.last_value)
  FROM unnest(%s::text[], %s::bigint[]) AS later (sequencename, last_value) JOIN pg_sequences mine USING (sequencename)
 WHERE mine.schemaname = current_schema() AND later.last_value > COALESCE(mine.last_value, 0)
"""
_LEAP = """
SELECT setval(of, nextval(of) + %s) FROM (SELECT pg_get_serial_sequence('subscribers_subscriber', 'id')::regclass AS of) readers
"""


def continue_from(kept: "psycopg.Connection[Any]") -> None:
    """Give no id away that `kept`, the database as it was, had given. Raises psycopg.Error and the errors of our own database."""
    rows = kept.execute(_LAST).fetchall()
    run(_CONTINUE, ([name for name, _ in rows], [last for _, last in rows]))


def leap() -> None:
    """Pass over the ids that readers may have got from a database that nobody can ask. Raises the database's errors."""
    run(_LEAP, (LEAP,))
