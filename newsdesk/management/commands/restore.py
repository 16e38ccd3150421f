"""`newsdesk restore FILE`: a dump takes the place of the database, and nothing is sent again by itself."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "Restore a dump of the database. What was sent after it is named, and nothing is sent again by itself."
    needs_broker = True
    migrates = False

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--forget-opt-outs",
            action="store_true",
            help="take the dump as it is: whoever unsubscribed or was erased after it is mailed again",
        )
        parser.add_argument("file", metavar="FILE", type=Path, help="what pg_dump --format=custom wrote")

    def handle(self, *args: Any, **options: Any) -> None:
        from newsdesk.local_stack import restoring

        found = restoring.restore(options["file"], forget_opt_outs=options["forget_opt_outs"])
        self.report(asdict(found), restoring.in_words(found))
