"""A piece of SQL with its parameters, for statements too large for the ORM."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SqlCondition:
    """SQL in psycopg's style (``%s``, a literal percent sign doubled) and what to bind, in the order of the text."""

    sql: str
    params: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return self.sql


def join(separator: str, parts: Iterable[SqlCondition]) -> SqlCondition:
    """The parts in a row; parameters stay in the order of the text."""
    rows = tuple(parts)
    return SqlCondition(separator.join(part.sql for part in rows), tuple(p for part in rows for p in part.params))
