"""`newsdesk import-suppressions FILE --reason R`: addresses, domains and hashes that must not be mailed."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from newsdesk.management import editorial
from newsdesk.management.base import NewsdeskCommand
from newsdesk.management.commands.import_subscribers import NONE_TAKEN, SOME_REFUSED


class Command(NewsdeskCommand):
    help = (
        "Never mail the addresses, domains or hashes in a file. Exits with 0 when every row was taken, 3 when some were refused, "
        "2 when none was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", type=Path, help="one a line, or a CSV file; a heading may be there")
        add_reason(parser)
        parser.add_argument("--encoding", default="", metavar="NAME", help="where it cannot be told from the bytes")

    def handle(self, *args: Any, **options: Any) -> None:
        from subscribers.suppression_import import import_suppressions

        report = import_suppressions(
            options["file"],
            reason=options["reason"],
            publication_id=publication_id(options),
            encoding=options["encoding"],
        )
        refused = [f"line {line}: {reason}" for line, reason in report.rejected]
        total = f"{report.rows} rows: {report.added} added, {report.known} known, {len(refused)} rejected"
        hashed = [f"{report.readers} readers here have one of the hashes"] if report.readers else []
        self.report(
            {
                "rows": report.rows,
                "added": report.added,
                "known": report.known,
                "readers": report.readers,
                "rejected": [one._asdict() for one in report.rejected],
            },
            "\n".join([*refused, *hashed, total]),
        )
        if report.rejected:
            sys.exit(SOME_REFUSED if report.rows > len(report.rejected) else NONE_TAKEN)


def add_reason(parser: CommandParser) -> None:
    """What `suppress` and `import-suppressions` share."""
    reasons = ("unsubscribed", "hard_bounce", "complaint", "invalid", "manual")
    parser.add_argument(
        "--reason", required=True, choices=reasons, help="why; it is shown wherever somebody is left out"
    )
    parser.add_argument(
        "--publication", metavar="P", help="for this one only; bounces, complaints and invalid ones hold everywhere"
    )


def publication_id(options: dict[str, Any]) -> int | None:
    """Raises InputError."""
    return editorial.publication_named(options["publication"]).pk if options["publication"] else None
