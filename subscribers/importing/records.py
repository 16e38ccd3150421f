"""The records of a CSV file, each with the physical line it begins on."""

import csv
import itertools
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

#: A record over more lines is taken for a quote that somebody forgot to close.
MAX_LINES = 100
SEPARATORS = ",;\t|"
#: How many lines are asked for the separator.
_SAMPLE = 200
_ADDRESS = re.compile(r"[^@\s\"',;|]+@[^@\s\"',;|]+\.[^@\s\"',;|]+")
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

    def ahead(self, count: int) -> list[str]:
        """The next lines, which stay where they are."""
        self._returned.extend(itertools.islice(self._lines, max(0, count - len(self._returned))))
        return list(self._returned)[:count]


def records(lines: Iterable[str]) -> Iterator[Record]:
    """The records that hold any text, the heading first.

    The separator is the one that gives most of the first rows as many cells as the heading has.
    """
    source = _Lines(lines)
    separator = ""
    while ahead := source.ahead(1):
        declared = _DECLARED.fullmatch(ahead[0])
        if declared:
            separator = declared[1]
        elif ahead[0].strip():
            break
        next(source)
        source.taken.clear()
    yield from _read(source, separator or _separator(source.ahead(_SAMPLE)))


def _separator(lines: list[str]) -> str:
    """Rows that agree with the heading count first, then the cells of the heading."""

    def agreement(mark: str) -> tuple[int, int]:
        try:
            widths = [len(cells) for cells in csv.reader(lines, delimiter=mark) if any(map(str.strip, cells))]
        except csv.Error:
            return 0, 0
        width = widths[0] if widths else 0
        if width == 1:
            # A title stands above the heading.
            ((width, _),) = Counter(widths[1:]).most_common(1) or [(0, 0)]
        return (Counter(widths)[width], width) if width > 1 else (0, 0)

    best = {mark: agreement(mark) for mark in SEPARATORS}
    return max(SEPARATORS, key=lambda mark: best[mark])


def _read(source: _Lines, separator: str) -> Iterator[Record]:
    reader = csv.reader(source, delimiter=separator, strict=True)
    width = 0
    while True:
        source.taken.clear()
        first = source.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _TooLongError) as error:
            source.keep_first()
            yield Record(first, _as_it_stands(source.taken[0], separator), _problem(error))
            continue
        if len(source.taken) > 1 and (swallowed := _swallowed(source.taken, separator, width)):
            last = first + len(source.taken) - 1
            if swallowed == len(source.taken) - 1:
                source.keep_first()
                cells = _as_it_stands(source.taken[0], separator)
                yield Record(
                    first, cells, f"a quote is opened, and closed only on line {last}; the rows between are read"
                )
            else:
                yield Record(first, cells, f"a quoted cell holds what may be rows of their own, up to line {last}")
            continue
        if any(map(str.strip, cells)):
            width = width or len(cells)
            yield Record(first, cells)


def _as_it_stands(line: str, separator: str) -> list[str]:
    """The cells of one physical line, whatever its quotes mean."""
    return next(csv.reader([line.rstrip("\r\n")], delimiter=separator), [])


def _swallowed(lines: list[str], separator: str, width: int) -> int:
    """How many lines after the first look like rows of their own: as wide as the heading, with an address in a cell."""
    if not any("@" in line for line in lines[1:]):
        return 0
    count = 0
    for line in lines[1:]:
        try:
            cells = next(csv.reader([line], delimiter=separator), [])
        except csv.Error:
            continue
        count += len(cells) == width and any(_ADDRESS.fullmatch(cell.strip().strip('"')) for cell in cells)
    return count


def _problem(error: Exception) -> str:
    if isinstance(error, _TooLongError) or "unexpected end" in str(error):
        return "a quote is opened and never closed"
    if "field larger" in str(error):
        return f"a cell of more than {csv.field_size_limit()} characters"
    return "a quoted cell is followed by more text; double the quotes inside it"
