"""`newsdesk ledger SEND`: every candidate and what became of them."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management import sending
from newsdesk.management.base import NewsdeskCommand
from newsdesk.management.files import written_whole


class Command(NewsdeskCommand):
    help = "Write every candidate of a send, and what became of them, as CSV; or sum them up."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("send", metavar="SEND", type=int, help="a send's id")
        parser.add_argument("--csv", action="store_true", help="one row for each candidate; without it, the sums")
        parser.add_argument("--out", metavar="FILE", help="with --csv: where to write it; default: standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.sends import recipient_report

        send = sending.send_numbered(options["send"])
        if options["out"] and not options["csv"]:
            raise InputError("ledger: --out goes with --csv")
        if options["csv"] and options["json"] and not options["out"]:
            raise InputError("ledger: --csv and --json both print: say where to write the CSV with --out FILE")
        with recipient_report.snapshot():
            if options["csv"] and not options["out"]:
                sys.stdout.flush()
                recipient_report.write(send.pk, sys.stdout.buffer.write)
                sys.stdout.buffer.flush()
                return
            if options["csv"]:
                with written_whole(Path(options["out"]), "--out") as file:
                    recipient_report.write(send.pk, file.write)
            sums = recipient_report.summary(send.pk)
        lines = [f"send {send.pk}: {sums['rows']:,} candidates"]
        lines += [f"  archived: ledgers/{sums['archived']} in NEWSDESK_HOME"] if "archived" in sums else []
        lines += [f"  {number:>9,}  excluded: {reason}" for reason, number in sums["excluded"].items()]
        outcomes = ("pending", "submitting", "submitted", "unknown", "failed")
        lines += [f"  {sums[name]:>9,}  {name}" for name in outcomes if sums[name]]
        self.report(sums, "\n".join(lines))
