"""Deleting many old rows in small statements, so that nobody waits for their locks."""

from collections.abc import Iterator
from typing import Any

from django.db import connection

#: Rows that one statement deletes: some seconds of work.
CHUNK = 10_000


def in_chunks(sql: str, *params: Any) -> Iterator[int]:
    """Run `sql` until it deletes less than a chunk, each time in a transaction of its own; rows that each statement deleted.

    The last parameter of `sql` is the most it may delete: ``LIMIT %s``, in an ARRAY(…), which is asked for once. Where the
    planner joins ``IN (…)`` as a nested loop it asks anew for each row, and all are deleted at once. Raises the database's errors.
    """
    while True:
        with connection.cursor() as cursor:
            cursor.execute(sql, [*params, CHUNK])
            deleted = int(cursor.rowcount)
        yield deleted
        if deleted < CHUNK:
            return
