"""`newsdesk confirm-database (--newest | --restored)`: a person says what the database is when its mark is missing."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management import sending
from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "Say what the database is, when the file that tells how far this installation has sent is missing."
    needs_broker = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--newest", action="store_true", help="it is the newest there is: sends go on")
        what.add_argument(
            "--restored", action="store_true", help="it came from a backup: every send that is not over waits for you"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.sends import database_behind

        if options["newest"] and not database_behind.mark_is_missing():
            raise InputError("--newest: nothing is to be confirmed; database and mark are both there")
        held = database_behind.confirm(who=sending.at_the_command_line(), restored=options["restored"])
        text = f"sends that wait for you: {', '.join(map(str, held))}" if held else "confirmed; nothing is held"
        self.report({"confirmed": True, "held": held}, text)
