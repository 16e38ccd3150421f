"""Set-based statements with arrays bound on the server, in binary: Django's cursor writes them into the text."""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection

from tasks.database.columns import Column, ColumnDumper


def run(sql: str, params: Sequence[object]) -> list[tuple[Any, ...]]:
    """Run one statement on Django's connection, inside its transaction; its rows, or none if it returns nothing.

    Parameters may be a `Column`, too.

    Raises the database's errors, as Django has them.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        if any(isinstance(param, Column) for param in params):
            cursor.adapters.register_dumper(Column, ColumnDumper)
        cursor.execute(sql.encode(), params, binary=True)
        return cursor.fetchall() if cursor.description else []
