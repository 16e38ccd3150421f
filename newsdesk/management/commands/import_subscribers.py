"""`newsdesk import-subscribers FILE.csv --publication P --list L`: a CSV file → subscribers of a list, as it says they are."""

import contextlib
import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management import editorial
from newsdesk.management.base import NewsdeskCommand
from newsdesk.management.files import written_whole

if TYPE_CHECKING:
    from subscribers.importing import ImportReport

SOME_REFUSED, NONE_TAKEN = 3, 2


class Command(NewsdeskCommand):
    help = (
        "Take subscribers from a CSV file of any newsletter service: who had left there, bounced or never confirmed is not "
        "mailed. Exits with 0 when every row was taken, 3 when some were refused, 2 when none was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE.csv", type=Path, help="its first line names the columns")
        parser.add_argument("--publication", required=True, metavar="P", help="the publication's slug")
        parser.add_argument("--list", required=True, metavar="L", help="the list's slug; it is made if it is missing")
        parser.add_argument("--preset", default="", metavar="NAME", help="the service; default: told from the header")
        parser.add_argument("--status-column", default="", metavar="COLUMN", help="the column that says who is mailed")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="COLUMN=NAME",
            help="read a column as a field, or as an attribute",
        )
        parser.add_argument("--drop", action="append", default=[], metavar="COLUMN", help="leave a column out")
        parser.add_argument(
            "--only",
            default="",
            metavar="COLUMNS",
            help="keep nothing else beside address, state and consent; commas between",
        )
        parser.add_argument(
            "--mode",
            choices=("add", "update", "replace-tags", "mirror"),
            default="update",
            help="add: leave known readers' details; replace-tags: the file's tags only; mirror: the file is the whole truth",
        )
        parser.add_argument("--rejected", metavar="FILE", help="write the refused rows here, to be mended and imported")
        parser.add_argument(
            "--sheet", default="", metavar="NAME", help="of a workbook; default: the first that is shown"
        )
        parser.add_argument("--encoding", default="", metavar="NAME", help="where it cannot be told from the bytes")
        parser.add_argument("--dry-run", action="store_true", help="the same report; nothing is written")

    def handle(self, *args: Any, **options: Any) -> None:
        from subscribers.importing import Choices, Mode, import_csv

        publication = editorial.publication_named(options["publication"])
        choices = Choices(
            preset=options["preset"],
            status_column=options["status_column"],
            columns=dict(map(_pair, options["map"])),
            drop=tuple(options["drop"]),
            only=tuple(filter(None, map(str.strip, options["only"].split(",")))),
        )
        with _table(options["rejected"]) as refused:
            report = import_csv(
                options["file"],
                publication_id=publication.pk,
                list_slug=options["list"],
                choices=choices,
                encoding=options["encoding"],
                dry_run=options["dry_run"],
                mode=Mode(options["mode"]),
                refused=refused,
                sheet=options["sheet"],
            )
        self.report(_as_data(report), _as_text(report, dry_run=options["dry_run"]))
        if report.rejected:
            sys.exit(SOME_REFUSED if report.taken else NONE_TAKEN)


@contextlib.contextmanager
def _table(path: str | None) -> Iterator[Any]:
    """What writes a row of a CSV file; None without a path."""
    if not path:
        yield None
        return
    with written_whole(Path(path), "--rejected") as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        yield csv.writer(text).writerow
        text.flush()
        text.detach()


def _pair(text: str) -> tuple[str, str]:
    # The name of a column may hold "=", what it is read as does not.
    column, is_pair, name = text.rpartition("=")
    if not is_pair or not column.strip() or not name.strip():
        raise InputError(f"--map: {text!r} is not COLUMN=NAME")
    return column.strip(), name.strip()


def _as_data(report: "ImportReport") -> dict[str, Any]:
    return {
        "preset": report.preset,
        "encoding": report.encoding,
        "rows": report.rows,
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "statuses": dict(report.statuses),
        "unknown_columns": list(report.unknown_columns),
        "left_out": list(report.left_out),
        "brought_back": report.brought_back,
        "left": report.left,
        "warnings": [warning._asdict() for warning in report.warnings],
        "rejected": [rejection._asdict() for rejection in report.rejected],
    }


def _as_text(report: "ImportReport", *, dry_run: bool) -> str:
    noted = [f"line {line}: warning: {message}" for line, message in report.warnings]
    refused = [f"line {line}: {reason}" for line, reason in report.rejected]
    columns = [
        f"{what}: {', '.join(names)}"
        for what, names in (("attributes", report.unknown_columns), ("columns left out", report.left_out))
        if names
    ]
    would = "would be" if dry_run else "are"
    columns += [f"{report.brought_back} who had left {would} back on the list"] if report.brought_back else []
    columns += [f"{report.left} who are not in the file {would} off the list"] if report.left else []
    states = ", ".join(f"{count} {word.replace('_', ' ')}" for word, count in report.statuses.items() if count)
    read_as = f"read as {report.preset}, {report.encoding}: {states or 'nobody'}"
    counts = f"{report.created} created, {report.updated} updated, {report.unchanged} unchanged"
    total = f"{report.rows} rows: {counts}, {len(refused)} rejected{'; nothing was written' if dry_run else ''}"
    return "\n".join([*noted, *refused, *columns, read_as, total])
