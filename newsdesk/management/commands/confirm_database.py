"""`newsdesk confirm-database (--newest | --restored)`: a person says what the database is when its mark is missing or a copy's."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError, OperationFailedError
from newsdesk.management import sending
from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "Say what the database is, when the file that tells how far this installation has sent is missing, or the home was copied."
    needs_broker = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "--newest", action="store_true", help="it is the newest there is, and nothing was sent since: sends go on"
        )
        what.add_argument(
            "--restored", action="store_true", help="it came from a backup: every send that is not over waits for you"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.database.high_water import UnsureError
        from tasks.sends import database_behind

        who = sending.at_the_command_line()
        held: list[int] | None
        try:
            if options["restored"]:
                # Also where nothing asks: a recovery to a point in time is not noticed.
                held = database_behind.confirm(who=who, restored=True)
            else:
                held = database_behind.answer(who=who, restored=False)
        except UnsureError as unsure:
            raise OperationFailedError(
                f"--newest: Redis may know how far was sent, and does not answer: {unsure}"
            ) from unsure
        if held is None:
            raise InputError("--newest: nothing is to be confirmed; database and mark are both there")
        text = f"sends that wait for you: {', '.join(map(str, held))}" if held else "confirmed; nothing is held"
        self.report({"confirmed": True, "held": held}, text)
