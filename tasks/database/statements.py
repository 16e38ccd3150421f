"""Set-based statements with arrays bound on the server, in binary: Django's cursor writes them into the text."""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection


def run(sql: str, params: Sequence[object]) -> list[tuple[Any, ...]]:
    """Run one statement on Django's connection, inside its transaction; its rows, or none if it returns nothing.

    Raises Django's own database errors.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(sql.encode(), params, binary=True)
        return cursor.fetchall() if cursor.description else []
