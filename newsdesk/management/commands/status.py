"""`newsdesk status [SEND]`: where sends stand."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.management import sending
from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "Tell where one send, or every send, stands."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("send", metavar="SEND", type=int, nargs="?", help="a send's id; default: all of them")

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.models import Send
        from tasks.sends.counts import as_json

        if options["send"] is not None:
            report = sending.report_of(sending.send_numbered(options["send"]))
            self.report(report, sending.as_text(report))
            return
        reports = [as_json(send) for send in Send.objects.all()]
        self.report({"sends": reports}, "\n".join(map(sending.as_text, reports)) or "nothing was sent yet")
