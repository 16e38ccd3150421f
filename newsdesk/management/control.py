"""Pause, resume, cancel and undo differ by one word."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import OperationFailedError
from newsdesk.management import sending
from newsdesk.management.base import NewsdeskCommand


class ControlCommand(NewsdeskCommand):
    needs_broker = True
    verb = ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("send", metavar="SEND", type=int, help="a send's id")
        parser.add_argument("--why", metavar="TEXT", default="", help="the reason, for the send's history")

    def handle(self, *args: Any, **options: Any) -> None:
        send = sending.send_numbered(options["send"])
        who, why = sending.at_the_command_line(), options["why"].strip()
        done = self._do(send.pk, who=who, why=why)
        send.refresh_from_db()
        if not done:
            if self.verb == "resume" and send.held_at is not None:
                raise OperationFailedError(f"send {send.pk} cannot be resumed, it is held: {send.pause_reason}")
            if self.verb == "resume" and _may_be_out(send):
                raise OperationFailedError(f"send {send.pk} cannot be resumed. {send.pause_reason}")
            raise OperationFailedError(f"send {send.pk} is {send.status}: there is nothing to {self.verb}")
        report = sending.report_of(send)
        self.report(report, sending.as_text(report))

    def _do(self, send_id: int, *, who: str, why: str) -> bool:
        from tasks.sends import control, undo

        match self.verb:
            case "pause":
                return control.pause(send_id, why or "Paused from the command line.", who=who)
            case "resume":
                return control.resume(send_id, who=who, why=why)
            case "cancel":
                return control.cancel(send_id, who=who, why=why)
        undo.undo(send_id, who=who, why=why)
        return True


def _may_be_out(send: Any) -> bool:
    from tasks.sends import database_doubts

    return database_doubts.may_be_out(send)
