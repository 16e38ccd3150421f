"""`newsdesk release SEND (--now | --next-slot)`: what becomes of a held send."""

import getpass
from typing import Any

from django.core.management.base import CommandParser

from newsdesk.management import sending
from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = (
        "Let a held send go out now or with the next slot: its time passed while its edition was reopened, or missed."
    )
    needs_broker = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("send", metavar="SEND", type=int, help="a send's id")
        when = parser.add_mutually_exclusive_group(required=True)
        when.add_argument("--now", action="store_true", help="at once")
        when.add_argument("--next-slot", action="store_true", help="with the publication's next weekly slot")

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.approvals import releasing

        send = sending.send_numbered(options["send"])
        release = releasing.release_now if options["now"] else releasing.release_to_next_slot
        release(send.pk, who=f"command line ({getpass.getuser()})")
        send.refresh_from_db()
        report = sending.standings([send])[0]
        self.report(report, sending.as_text(report))
