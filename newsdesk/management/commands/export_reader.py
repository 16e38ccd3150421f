"""`newsdesk export-reader ADDRESS`: everything that is held of one person, for them."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management.base import NewsdeskCommand
from newsdesk.management.files import written_whole


class Command(NewsdeskCommand):
    help = (
        "Write everything that is held of one person as JSON: profile, consents, suppressions, mails, events, mentions."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("address", metavar="ADDRESS", help="in any case; nobody has to be a reader to be asked for")
        parser.add_argument("--output", metavar="FILE", help="where to write it; default: standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.privacy import export

        address = options["address"].strip()
        if "@" not in address:
            raise InputError(f"ADDRESS: {address!r} is no address")
        if not options["output"]:
            # The object that is asked for is the one that --json would print.
            export.write((self._json_output or options.get("stdout") or sys.stdout).write, address)
            return
        with written_whole(Path(options["output"]), "--output") as file:
            number = export.write(lambda text: file.write(text.encode()), address)
        self.report(
            {"address": address, "rows": number, "file": options["output"]},
            f"{number:,} row{'' if number == 1 else 's'} about {address} in {options['output']}"
            if number
            else f"nothing is held of {address}; {options['output']} says so",
        )
