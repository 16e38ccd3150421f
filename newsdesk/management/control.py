"""Pause, resume and cancel differ by one word."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.errors import Failure
from newsdesk.management import sending
from newsdesk.management.base import NewsdeskCommand


class ControlCommand(NewsdeskCommand):
    needs_broker = True
    verb = ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("send", metavar="SEND", type=int, help="a send's id")

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks import stopping
        from tasks.counts import as_json

        send = sending.send_numbered(options["send"])
        done = {
            "pause": lambda: stopping.pause(send.pk, "Paused from the command line."),
            "resume": lambda: stopping.resume(send.pk),
            "cancel": lambda: stopping.cancel(send.pk),
        }[self.verb]()
        send.refresh_from_db()
        if not done:
            if self.verb == "resume" and send.held_at is not None:
                raise Failure(f"send {send.pk} cannot be resumed, it is held: {send.pause_reason}")
            raise Failure(f"send {send.pk} is {send.status}: there is nothing to {self.verb}")
        report = as_json(send)
        self.report(report, sending.as_text(report))
