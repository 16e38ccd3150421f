"""A file of any form as records, which may be read again from the start."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from newsdesk.core.errors import InputError
from subscribers.importing import json_lines, records, workbook
from subscribers.importing.records import Record
from subscribers.importing.text import as_text, opened


@dataclass(frozen=True, kw_only=True)
class Source:
    #: All records from the first, at each call.
    records: Callable[[], Iterator[Record]]
    #: What the text is written in.
    encoding: str


@contextmanager
def source(file: Path | BinaryIO, encoding: str = "", sheet: str = "") -> Iterator[Source]:
    """CSV, JSON lines, or a sheet of a workbook. Raises InputError when the file cannot be read."""
    with opened(file) as binary:
        binary.seek(0)
        if binary.read(4) == workbook.MAGIC:
            chosen = workbook.opened_sheet(binary, sheet)
            yield Source(records=lambda: workbook.records(chosen), encoding="xlsx")
            return
        if sheet:
            raise InputError("--sheet: the file is no Excel workbook.")
        with _lines(binary, encoding) as found:
            yield found


@contextmanager
def _lines(binary: BinaryIO, encoding: str) -> Iterator[Source]:
    with as_text(binary, encoding) as text:
        read = json_lines.records if json_lines.is_json(text.read(100)) else records.records

        def again() -> Iterator[Record]:
            text.seek(0)
            return read(text)

        yield Source(records=again, encoding=text.encoding.replace("utf-8-sig", "utf-8"))
