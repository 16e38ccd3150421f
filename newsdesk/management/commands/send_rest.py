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
        parser.add_argument(
            "--left-out",
            action="store_true",
            help="only to readers whom other sends left out because of this one, which was cancelled",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.sends.resend_to_missed import resend_to_missed, send_to_left_out

        first = sending.send_numbered(options["send"])
        if options["left_out"]:
            made = send_to_left_out(first.pk, who=sending.at_the_command_line())
            self.report(
                {"send": made.send.pk, "in_place_of": first.pk, "readers": made.readers},
                f"send {made.send.pk}: it goes out now to those left out because of send {first.pk} ({made.readers:,}); "
                f"newsdesk status {made.send.pk}",
            )
            return
        rest = resend_to_missed(first.pk, who=sending.at_the_command_line())
        readers = f"{rest.readers:,} reader{'' if rest.readers == 1 else 's'}"
        self.report(
            {"send": rest.send.pk, "rest_of": first.pk, "readers": rest.readers},
            f"send {rest.send.pk}: the rest of send {first.pk} goes out now, to {readers} at most; "
            f"newsdesk status {rest.send.pk}",
        )
