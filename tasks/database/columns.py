"""Columns of many rows as the arrays that a statement unnests, in PostgreSQL's binary format.

The driver writes an array element by element in Python, which for ten thousand events takes longer than PostgreSQL takes to store them.
Here a column is packed at once. What a column is (`bigint[]`, `bytea[]` and so on) the statement says itself, with a cast.

The format (PostgreSQL's source, `array_recv` in `arrayfuncs.c`): dimensions, whether there are nulls, the type of the elements; length
and lower bound; then each element behind its own length, -1 for null.
"""

import struct
from collections.abc import Sequence

from psycopg import postgres
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEAD = struct.Struct("!iiiii")
_LENGTH = struct.Struct("!i")
_NULL = _LENGTH.pack(-1)


class Column:
    """An array in binary, for `tasks.database.statements.run`."""

    __slots__ = ("data",)

    def __init__(self, name: str, count: int, elements: bytes, *, nulls: bool = False) -> None:
        type_ = postgres.types[name].oid
        head = _HEAD.pack(1, int(nulls), type_, count, 1) if count else struct.pack("!iii", 0, 0, type_)
        self.data = head + elements


class ColumnDumper(Dumper):
    """Gives a column to the driver as it is."""

    format = Format.BINARY

    def dump(self, obj: Column) -> Buffer:
        """The bytes of the array."""
        return obj.data


def bigints(values: Sequence[int | None]) -> Column:
    """A `bigint[]`. Raises struct.error for a number that is no bigint."""
    return _numbers("int8", "q", 8, values)


def integers(values: Sequence[int | None]) -> Column:
    """An `int[]`. Raises struct.error for a number that is no integer of PostgreSQL's."""
    return _numbers("int4", "i", 4, values)


def texts(values: Sequence[str]) -> Column:
    """A `text[]`; most of the values should be alike. Raises UnicodeEncodeError for half a surrogate pair."""
    written: dict[str, bytes] = {}
    for value in set(values):
        encoded = value.encode()
        written[value] = _LENGTH.pack(len(encoded)) + encoded
    return Column("text", len(values), b"".join([written[value] for value in values]))


def digests(values: Sequence[bytes]) -> Column:
    """A `bytea[]` of values of 16 bytes each."""
    length = _LENGTH.pack(16)
    assert all(len(value) == 16 for value in values)
    return Column("bytea", len(values), length + length.join(values) if values else b"")


def _numbers(name: str, letter: str, size: int, values: Sequence[int | None]) -> Column:
    count = len(values)
    if None in values:
        write = struct.Struct(f"!i{letter}").pack
        elements = b"".join([_NULL if value is None else write(size, value) for value in values])
        return Column(name, count, elements, nulls=True)
    flat: list[int | None] = [size] * (2 * count)
    flat[1::2] = values
    return Column(name, count, struct.pack("!" + f"i{letter}" * count, *flat))
