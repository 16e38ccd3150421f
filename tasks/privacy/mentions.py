"""Rows of any table in whose words an address stands."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.apps import apps
from django.db import connection

from tasks.privacy.naming import Naming
from tasks.privacy.tables import WORDS

_AT_ONCE = 500


class Mention(NamedTuple):
    #: As Django names the model.
    model: str
    table: str
    #: The table's key, and its column.
    key_column: str
    key: Any
    column: str
    text: str


def mentions(naming: Naming) -> Iterator[Mention]:
    """Each column of each row, table by table."""
    for label, columns in WORDS.items():
        about = apps.get_model(label)._meta  # noqa: SLF001 - Django's documented API
        key = str(about.pk.column)
        for column in columns:
            yield from _in_column(naming, label, str(about.db_table), key, column)


def _in_column(naming: Naming, label: str, table: str, key: str, column: str) -> Iterator[Mention]:
    sql = (
        f"SELECT {key}, {column}::text FROM {table} "  # noqa: S608 - names of ours
        f"WHERE lower({column}::text) LIKE ANY(%s) ORDER BY {key}"
    )
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, [naming.likes()])
        while rows := cursor.fetchmany(_AT_ONCE):
            for found, text in rows:
                if naming.names(text):
                    yield Mention(label, table, key, found, column, text)
