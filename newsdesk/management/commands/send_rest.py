"""`newsdesk send-rest SEND`: the edition of a finished send, to those who did not get it."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.management import sending
from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "Send a finished send's edition again, now, to those of its lists who do not have it."
    needs_broker = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("send", metavar="SEND", type=int, help="the id of a send that is sent or cancelled")

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.sends.resending import send_to_rest

        first = sending.send_numbered(options["send"])
        rest = send_to_rest(first.pk, who=sending.at_the_command_line())
        readers = f"{rest.readers:,} reader{'' if rest.readers == 1 else 's'}"
        self.report(
            {"send": rest.send.pk, "rest_of": first.pk, "readers": rest.readers},
            f"send {rest.send.pk}: the rest of send {first.pk} goes out now, to {readers} at most; "
            f"newsdesk status {rest.send.pk}",
        )
