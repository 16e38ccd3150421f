"""The refused rows of a file as a table: mended, it is imported like the file they are from."""

from collections.abc import Callable, Iterator, Sequence

from subscribers.importing.layout import REJECTED, REJECTED_FROM
from subscribers.importing.presets.preset import folded
from subscribers.importing.records import Record
from subscribers.importing.report import Rejection

Refused = Callable[[Sequence[object]], object]


def write_refused(
    records: Iterator[Record], rejected: Sequence[Rejection], name: str, out: Refused, *, heading_line: int
) -> None:
    """Pass the heading, which is on that line, and the refused rows to `out`, with line, reason and the file's name in front.

    The name stays with them because it may say that its people have left.
    """
    reasons = {one.line: one.reason for one in rejected}
    heading = next(record.cells for record in records if record.line == heading_line)
    names = [folded(cell) for cell in heading]
    kept = [at for at, own in enumerate(names) if own not in REJECTED]
    origin = names.index(REJECTED_FROM) if REJECTED_FROM in names else None
    out([*REJECTED, *(heading[at] for at in kept)])
    for record in records:
        if record.line not in reasons:
            continue
        cells = record.cells + [""] * (len(heading) - len(record.cells))
        came_from = cells[origin] if origin is not None else name
        own = [cells[at] for at in kept] + cells[len(heading) :]
        out([record.line, reasons[record.line], came_from, *own])
