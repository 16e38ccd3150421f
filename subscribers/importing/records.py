"""The records of a CSV file, each with the physical line it begins on."""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

#: A record over more lines is taken for a quote that somebody forgot to close.
MAX_LINES = 100
SEPARATORS = ",;\t"
_DECLARED = re.compile(r'"?sep=(.)"?\s*')


class Record(NamedTuple):
    line: int
    cells: list[str]
    #: Why the record cannot be read; "" when it can.
    problem: str = ""


class _TooLongError(Exception):
    pass


class _Lines:
    """Physical lines, which can be given back after a record that made no sense."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._returned: deque[str] = deque()
        #: The lines of the record being read.
        self.taken: list[str] = []
        self.number = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if len(self.taken) >= MAX_LINES:
            raise _TooLongError
        line = self._returned.popleft() if self._returned else next(self._lines)
        self.taken.append(line)
        self.number += 1
        return line

    def keep_first(self) -> None:
        """Give back all lines of the record but its first."""
        rest = self.taken[1:]
        self._returned.extendleft(reversed(rest))
        self.number -= len(rest)


def records(lines: Iterable[str]) -> Iterator[Record]:
    """The records that hold any text, the heading first.

    The separator is found in the heading: the one that makes most cells of it.
    """
    source = _Lines(lines)
    separator = ","
    for line in source:
        declared = _DECLARED.fullmatch(line)
        if declared:
            separator = declared[1]
        elif line.strip():
            separator = separator if separator != "," else _separator(line)
            source.number -= 1
            source._returned.appendleft(line)  # noqa: SLF001 - the same module
            break
        source.taken.clear()
    yield from _read(source, separator)


def _separator(heading: str) -> str:
    counts = {mark: len(next(csv.reader([heading], delimiter=mark))) for mark in SEPARATORS}
    return max(SEPARATORS, key=lambda mark: counts[mark])


def _read(source: _Lines, separator: str) -> Iterator[Record]:
    reader = csv.reader(source, delimiter=separator, strict=True)
    while True:
        source.taken.clear()
        first = source.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _TooLongError) as error:
            source.keep_first()
            yield Record(first, [], _problem(error))
            continue
        if any(map(str.strip, cells)):
            yield Record(first, cells)


def _problem(error: Exception) -> str:
    if isinstance(error, _TooLongError) or "unexpected end" in str(error):
        return "a quote is opened and never closed"
    if "field larger" in str(error):
        return f"a cell of more than {csv.field_size_limit()} characters"
    return "a quoted cell is followed by more text; double the quotes inside it"
