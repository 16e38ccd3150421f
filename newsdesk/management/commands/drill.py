"""`newsdesk drill FILE`: whether this backup can be restored, tried in a home that is thrown away."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "Try a backup: restore it into a home of its own, count, report, and throw that home away."
    needs_broker = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", type=Path, help="what pg_dump --format=custom wrote")

    def handle(self, *args: Any, **options: Any) -> None:
        from newsdesk.local_stack import drilling

        report = drilling.drill(options["file"])
        self.report(report, drilling.in_words(report))
