"""`newsdesk import-subscribers FILE.csv --publication P --list L`: a CSV file → active subscribers of a list."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandParser

from newsdesk.management import editorial
from newsdesk.management.base import NewsdeskCommand

if TYPE_CHECKING:
    from subscribers.importing import ImportReport


class Command(NewsdeskCommand):
    help = (
        "Take subscribers from a CSV file: columns email, name, language, timezone, tags; any other becomes an "
        "attribute. All of the file's good rows arrive or none; every bad row is reported with its line."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE.csv", type=Path, help="its first line names the columns")
        parser.add_argument("--publication", required=True, metavar="P", help="the publication's slug")
        parser.add_argument("--list", required=True, metavar="L", help="the list's slug; it is made if it is missing")

    def handle(self, *args: Any, **options: Any) -> None:
        from subscribers.importing import import_csv

        publication = editorial.publication_named(options["publication"])
        report = import_csv(options["file"], publication_id=publication.pk, list_slug=options["list"])
        self.report(
            {
                "rows": report.rows,
                "created": report.created,
                "updated": report.updated,
                "unchanged": report.unchanged,
                "rejected": [rejection._asdict() for rejection in report.rejected],
            },
            _as_text(report),
        )


def _as_text(report: "ImportReport") -> str:
    refused = [f"line {line}: {reason}" for line, reason in report.rejected]
    counts = f"{report.created} created, {report.updated} updated, {report.unchanged} unchanged"
    return "\n".join([*refused, f"{report.rows} rows: {counts}, {len(refused)} rejected"])
