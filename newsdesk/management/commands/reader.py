"""`newsdesk reader ADDRESS`: what is known of one reader."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.management import reading
from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "Show one reader: profile, lists, suppressions, consents, every edition and its outcome, and who would mail them."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("address", metavar="ADDRESS", help="in any case")

    def handle(self, *args: Any, **options: Any) -> None:
        data = reading.as_data(reading.reader_named(options["address"]))
        self.report(data, reading.as_text(data))
