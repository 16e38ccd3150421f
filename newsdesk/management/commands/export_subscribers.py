"""`newsdesk export-subscribers --publication P`: readers as a file that `import-subscribers` reads without a change."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management import editorial
from newsdesk.management.base import NewsdeskCommand
from newsdesk.management.files import written_whole


class Command(NewsdeskCommand):
    help = "Write readers as CSV or JSON lines, with their states and the proof of their consent; importing the file changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--publication", required=True, metavar="P", help="the publication's slug: all of its lists"
        )
        parser.add_argument("--list", metavar="L", help="this list only")
        parser.add_argument("--segment", metavar="S", help="only those in this segment")
        parser.add_argument("--format", choices=("csv", "jsonl"), default="csv", help="default: csv")
        parser.add_argument("--out", metavar="FILE", help="where to write it; default: standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        from subscribers import exporting

        if options["json"] and not options["out"]:
            raise InputError("export-subscribers: --json prints too: say where to write the file with --out FILE")
        publication = editorial.publication_named(options["publication"])
        named = [editorial.list_named(publication, options["list"])] if options["list"] else publication.lists.all()
        segment = editorial.segment_named(publication, options["segment"]) if options["segment"] else None
        chosen = {
            "publication_id": publication.pk,
            "list_ids": [one.pk for one in named],
            "rule": segment.rule if segment else None,
            "form": options["format"],
        }
        if not options["out"]:
            sys.stdout.flush()
            exporting.write(sys.stdout.buffer.write, **chosen)
            sys.stdout.buffer.flush()
            return
        with written_whole(Path(options["out"]), "--out") as file:
            readers = exporting.write(file.write, **chosen)
        self.report(
            {"readers": readers, "file": options["out"]},
            f"{readers:,} reader{'' if readers == 1 else 's'} in {options['out']}",
        )
