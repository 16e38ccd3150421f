"""From a file to subscribers: the rows are copied into a staging table, the rest is done in sets."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from django.db import transaction

from newsdesk.core.errors import InputError
from subscribers.importing import staging
from subscribers.importing.errors import RowError, UnknownWordError
from subscribers.importing.layout import Choices, Layout, state_by_name
from subscribers.importing.plan import Mode, Plan
from subscribers.importing.records import Record
from subscribers.importing.refused import Refused, write_refused
from subscribers.importing.report import ImportReport, Rejection, Warned
from subscribers.importing.rows import Row, RowReader
from subscribers.importing.sources import source as opened
from subscribers.importing.states import State
from subscribers.models import List

_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,60}")
#: A file in which every row has a fault is told so a thousand times, not a million.
_MOST_WARNINGS = 1000
#: Rows above the heading: a title, the day, a heading over several columns.
_MOST_TITLES = 5
_AS_THEY_ARE = Choices()


def import_csv(
    file: Path | BinaryIO,
    *,
    publication_id: int,
    list_slug: str,
    source: str = "",
    choices: Choices = _AS_THEY_ARE,
    encoding: str = "",
    dry_run: bool = False,
    mode: Mode = Mode.UPDATE,
    refused: Refused | None = None,
    sheet: str = "",
) -> ImportReport:
    """Put everyone in the file on the list, which is made if it is missing, as what the file says they are.

    `source` is kept as the proof of consent; by default it names the file. A binary file is read from its start where it
    can seek. `refused` is given the refused rows as a table that can be mended and imported. Everything happens in one transaction, and is undone by `dry_run`. Raises InputError when the file as a whole
    cannot be used.
    """
    name = str(getattr(file, "name", file))
    if not _SLUG.fullmatch(list_slug):
        raise InputError(f"list {list_slug!r}: use letters, digits, hyphens and underscores, at most 60.")
    with opened(file, encoding, sheet) as found, transaction.atomic():
        rows = _Rows(found.records(), Path(name), choices, counting=dry_run)
        try:
            staging.fill(rows.accepted(), answers_tracking=rows.answers_tracking)
        except UnknownWordError as unknown:
            raise UnknownWordError(f"{name}: {unknown}") from unknown
        chosen = _list(publication_id, list_slug)
        consent = source or f"import {Path(name).name}"
        outcome = staging.apply(
            publication_id=publication_id, list_id=chosen.pk, source=consent[:200], plan=rows.plan(mode)
        )
        report = rows.report(outcome, found.encoding)
        if refused is not None:
            write_refused(found.records(), report.rejected, Path(name).name, refused, heading_line=rows.heading_line)
        if dry_run or not report.taken:
            # Where nobody was taken, all there is to undo is an empty list.
            transaction.set_rollback(True)
    return report


def _heading(found: Iterator[Record], path: Path, choices: Choices) -> tuple[Record, Layout, list[int]]:
    """The row that names the columns, what they are, and the lines of titles above it: at most a few, and without an address."""
    above: list[int] = []
    problem = InputError(f"{path}: the file is empty; its first line must name the columns.")
    for record in itertools.islice(found, _MOST_TITLES + 1):
        if record.problem and not above:
            raise InputError(f"{path}: line {record.line}: {record.problem}.")
        try:
            return record, Layout(record.cells, f"{path}: line {record.line}", choices), above
        except InputError as error:
            problem = problem if above else error
        if record.problem or any("@" in cell for cell in record.cells):
            break
        above.append(record.line)
    raise problem


class _Rows:
    """The rows of a file, and what there is to say about them."""

    def __init__(self, file_records: Iterator[Record], path: Path, choices: Choices, *, counting: bool) -> None:
        self._found = file_records
        first, self._layout, above = _heading(file_records, path, choices)
        self.heading_line = first.line
        # Our own export says of everyone what they are, whatever the file is called.
        by_name = State.ACTIVE if self._layout.preset.exact else state_by_name(path.stem)
        self._reader = RowReader(self._layout, floor=by_name, warn=self._warn)
        if counting:
            self._reader.lines_of = {}
        self._count = 0
        self._rejected: list[Rejection] = []
        self._warnings: list[Warned] = []
        self._unsaid = 0
        if by_name != State.ACTIVE:
            self._warn(
                first.line, f"by the file's name its people are at best {by_name.word}; rename it if they are not"
            )
        for line in above:
            self._warn(line, f"it names no column of addresses, and is left out; line {first.line} names the columns")
        for heading in self._layout.read_by_name():
            self._warn(
                first.line,
                f'{heading} is read as telling who must not be mailed; --map "{heading}=NAME" keeps it instead',
            )
        for heading in self._layout.suspects():
            self._warn(first.line, f"{heading} is kept as an attribute; if it says who has left, use --status-column")
        for doubled in self._layout.doubled:
            self._warn(first.line, f"two columns are named {doubled}; the second is {doubled} (2)")

    def accepted(self) -> Iterator[tuple[int, Row]]:
        for record in self._found:
            self._count += 1
            if record.problem:
                self._rejected.append(Rejection(record.line, record.problem))
                continue
            try:
                yield record.line, self._reader.row(record.cells, record.line)
            except RowError as problem:
                self._rejected.append(Rejection(record.line, str(problem)))

    @property
    def answers_tracking(self) -> bool:
        return bool(self._layout.fields["tracking"])

    def plan(self, mode: Mode) -> Plan:
        """Once all rows are read."""
        fields = {name for name, columns in self._layout.fields.items() if columns}
        if fields & {"first_name", "last_name"}:
            fields.add("name")
        if mode == Mode.MIRROR and self._rejected:
            self._warn(0, f"{len(self._rejected)} rows could not be read, so nobody leaves the list; mend them first")
        return Plan(
            mode=mode,
            fields=frozenset(fields),
            attributes=tuple(name for _, name in self._layout.attributes),
            whole=bool(self._layout.fields["json"]),
            refused=len(self._rejected),
        )

    def report(self, outcome: staging.Outcome, encoding: str) -> ImportReport:
        for name, line in (self._reader.lines_of or {}).items():
            if line:
                self._warn(line, f"no other row has the attribute {name}")
        for line, left, agreed in outcome.brought_back:
            self._warn(line, f"had left on {left}, agreed again on {agreed}: is back on the list")
        warnings = sorted(self._warnings)
        if self._reader.more_roles:
            warnings.append(Warned(0, f"and {self._reader.more_roles} more addresses of a role, such as info@"))
        if self._unsaid:
            warnings.append(Warned(0, f"and {self._unsaid} more like these"))
        return ImportReport(
            rows=self._count,
            created=outcome.created,
            updated=outcome.updated,
            unchanged=outcome.unchanged,
            rejected=tuple(sorted([*self._rejected, *outcome.rejected])),
            preset=self._layout.preset.name,
            encoding=encoding,
            statuses=outcome.statuses,
            unknown_columns=tuple(name for _, name in self._layout.attributes),
            left_out=tuple(self._layout.left_out),
            warnings=tuple(warnings),
            brought_back=len(outcome.brought_back),
            left=outcome.left,
        )

    def _warn(self, line: int, message: str) -> None:
        if len(self._warnings) < _MOST_WARNINGS:
            self._warnings.append(Warned(line, message))
        else:
            self._unsaid += 1


def _list(publication_id: int, slug: str) -> List:
    """The list, safely made by one of two imports at once."""
    List.objects.bulk_create(
        [List(publication_id=publication_id, slug=slug, name=slug.replace("-", " ").replace("_", " ").capitalize())],
        ignore_conflicts=True,
    )
    return List.objects.get(publication_id=publication_id, slug=slug)
