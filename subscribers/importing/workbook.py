"""A sheet of an Excel workbook (XLSX) as records. The line of a record is its row."""

import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any, BinaryIO

from newsdesk.core.errors import InputError
from subscribers.importing.records import Record

MAGIC = b"PK\x03\x04"
#: What a workbook may unpack to; a few kilobytes can unpack to more than any machine has.
_MOST_BYTES = 1 << 30
_UNREADABLE = "the file is no Excel workbook that can be read; save it as XLSX or CSV."
#: Faults of the archive, and of the XML in it (a SyntaxError).
_BROKEN = (zipfile.BadZipFile, zlib.error, SyntaxError, LookupError, ValueError, TypeError, AttributeError, OSError,
           RuntimeError, OverflowError, EOFError)  # fmt: skip


def opened_sheet(binary: BinaryIO, name: str = "") -> Any:
    """The sheet of that name, or the first that is shown, read row by row. Raises InputError."""
    try:
        with zipfile.ZipFile(binary) as archive:
            if sum(member.file_size for member in archive.infolist()) > _MOST_BYTES:
                raise InputError("the workbook is larger than 1 GB; save the sheet as CSV.")
            if "[Content_Types].xml" not in archive.namelist():
                # As Mailchimp hands them out: one file for each state.
                raise InputError(
                    "the file is an archive: unpack it and import each file in it, those of who left as well."
                )
        binary.seek(0)
        workbook = _loaded(binary)
    except _BROKEN as error:
        raise InputError(_UNREADABLE) from error
    sheets = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
    if not name and sheets:
        return sheets[0]
    found = next((sheet for sheet in workbook.worksheets if sheet.title == name), None)
    if found is None:
        raise InputError(f"--sheet: there is no {name!r}; there are: {', '.join(workbook.sheetnames)}.")
    return found


def _loaded(binary: BinaryIO) -> Any:
    from openpyxl import load_workbook  # noqa: PLC0415 - brings NumPy along: 0.3 s of every command's start
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415 - as above

    try:
        # Formulas as what they came to when the file was saved.
        return load_workbook(binary, read_only=True, data_only=True)
    except InvalidFileException as error:
        raise InputError(_UNREADABLE) from error


def records(sheet: Any) -> Iterator[Record]:
    """The rows that hold any text, the heading first."""
    # What the file says of its size is often wrong, and then rows are lost.
    sheet.reset_dimensions()
    width = 0
    for line, row in enumerate(_rows(sheet), start=1):
        cells = [_text(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            width = width or len(cells)
            yield Record(line, cells + [""] * (width - len(cells)))


def _rows(sheet: Any) -> Iterator[tuple[object, ...]]:
    rows = sheet.iter_rows(values_only=True)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except _BROKEN as error:
            raise InputError(_UNREADABLE) from error
        yield row


def _text(value: object) -> str:
    """Dates in ISO 8601, whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
