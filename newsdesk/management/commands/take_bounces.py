"""`newsdesk take-bounces FILE…`: delivery reports from files, or from a mail server's pipe, change what is known of readers."""

import sys
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management.base import NewsdeskCommand

#: Bytes read at a time of what is only read to its end: whoever writes into a pipe fails when nobody reads.
_PIECE = 64 * 1024


class Command(NewsdeskCommand):
    help = "Take in delivery reports (bounces) about mails that were sent through SMTP."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("files", metavar="FILE", nargs="+", help="a file with one mail; - reads standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.feedback import delivery_reports

        taken = delivery_reports.take_in([_read(name) for name in options["files"]])
        self.report(
            {
                "reports": taken.reports,
                "events": taken.events,
                "foreign": taken.foreign,
                "others": taken.others,
                "receipt": taken.receipt,
            },
            f"{taken.reports} reports about our mails, {taken.foreign} about none of ours, {taken.others} mails that are no reports",
        )


def _read(name: str) -> bytes:
    if name == "-":
        return _beginning(sys.stdin.buffer)
    try:
        with Path(name).open("rb") as file:
            return _beginning(file)
    except OSError as error:
        raise InputError(f"{name}: {error.strerror or error}") from error


def _beginning(file: BinaryIO) -> bytes:
    from tasks.providers.smtp.delivery_status import MOST_BYTES

    read = file.read(MOST_BYTES)
    if not file.seekable():
        while file.read(_PIECE):
            pass
    return read
