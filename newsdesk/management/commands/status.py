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
        from django.db.models import Sum

        from tasks.models import Send, WebhookState

        if options["send"] is not None:
            report = sending.report_of(sending.send_numbered(options["send"]))
            self.report(report, sending.as_text(report))
            return
        foreign = WebhookState.objects.aggregate(events=Sum("foreign_events"))["events"] or 0
        reports = sending.standings(Send.objects.all())
        lines = [*map(sending.as_text, reports)] or ["nothing was sent yet"]
        if foreign:
            lines.append(f"{foreign} reports about mail of others on the same account were ignored")
        others = {"foreign_events": foreign} if foreign else {}
        self.report({"sends": reports, **others}, "\n".join(lines))
