"""From a file to subscribers: the rows are copied into a staging table, the rest is done in sets."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from django.db import transaction

from newsdesk.core.errors import InputError
from subscribers.importing import staging
from subscribers.importing.records import Record, records
from subscribers.importing.report import ImportReport, Rejection
from subscribers.importing.rows import Heading, Row, RowError
from subscribers.importing.text import opened
from subscribers.models import List

_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,60}")


def import_csv(file: Path | BinaryIO, *, publication_id: int, list_slug: str, source: str = "") -> ImportReport:
    """Put everyone in the file on the list, which is made if it is missing, as active subscribers.

    `source` is kept as the proof of consent; by default it names the file. A binary file is read from its start where it
    can seek. Everything happens in one transaction. Raises InputError when the file as a whole cannot be used.
    """
    name = str(getattr(file, "name", file))
    if not _SLUG.fullmatch(list_slug):
        raise InputError(f"list {list_slug!r}: use letters, digits, hyphens and underscores, at most 60.")
    with opened(file) as text, transaction.atomic():
        file_records = records(text)
        heading = _heading(file_records, name)
        rejected: list[Rejection] = []
        rows = _Counted(file_records)
        staging.fill(_accepted(rows, heading, rejected))
        chosen = _list(publication_id, list_slug)
        consent = source or f"import {Path(name).name}"
        outcome = staging.apply(publication_id=publication_id, list_id=chosen.pk, source=consent[:200])
    return ImportReport(
        rows=rows.count,
        created=outcome.created,
        updated=outcome.updated,
        unchanged=outcome.unchanged,
        rejected=tuple(sorted([*rejected, *outcome.rejected])),
    )


class _Counted:
    def __init__(self, file_records: Iterator[Record]) -> None:
        self._found = file_records
        self.count = 0

    def __iter__(self) -> Iterator[Record]:
        for record in self._found:
            self.count += 1
            yield record


def _heading(file_records: Iterator[Record], name: str) -> Heading:
    first = next(file_records, None)
    if first is None:
        raise InputError(f"{name}: the file is empty; its first line must name the columns.")
    if first.problem:
        raise InputError(f"{name}: line {first.line}: {first.problem}.")
    return Heading(first.cells, f"{name}: line {first.line}")


def _accepted(rows: _Counted, heading: Heading, rejected: list[Rejection]) -> Iterator[tuple[int, Row]]:
    for record in rows:
        if record.problem:
            rejected.append(Rejection(record.line, record.problem))
            continue
        try:
            yield record.line, heading.row(record.cells)
        except RowError as problem:
            rejected.append(Rejection(record.line, str(problem)))


def _list(publication_id: int, slug: str) -> List:
    """The list, safely made by one of two imports at once."""
    List.objects.bulk_create(
        [List(publication_id=publication_id, slug=slug, name=slug.replace("-", " ").replace("_", " ").capitalize())],
        ignore_conflicts=True,
    )
    return List.objects.get(publication_id=publication_id, slug=slug)
