"""`newsdesk alarms [--clear ID]`: what a person must look at."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management import sending
from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "List the open alarms, or clear one that was seen to."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--clear", metavar="ID", type=int, help="this one was seen to")

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.alarms import raising
        from tasks.models import Alarm
        from tasks.sends.counts import how_to_release

        number = options["clear"]
        if number is not None:
            if not raising.clear(number, who=sending.at_the_command_line()):
                raise InputError(f"--clear: there is no open alarm {number}; newsdesk alarms lists them")
            self.report({"cleared": number}, f"alarm {number}: cleared")
            return
        rows = [
            {
                "id": alarm.pk,
                "code": alarm.code,
                "message": " ".join(filter(None, [alarm.message, how_to_release(alarm.send) if alarm.send else ""])),
                "send": alarm.send_id,
                "publication": alarm.publication.slug if alarm.publication else None,
                "edition": alarm.edition_id,
                "raised_at": alarm.raised_at.isoformat(timespec="seconds"),
                "mailed": alarm.mailed_at is not None,
            }
            for alarm in Alarm.objects.filter(cleared_at=None).select_related("publication", "send__approval")
        ]
        lines = [f"{row['id']:>5}  {row['raised_at']}  {_about(row)}{row['message']} [{row['code']}]" for row in rows]
        self.report({"alarms": rows}, "\n".join(lines) or "no alarm is open")


def _about(row: dict[str, Any]) -> str:
    if row["send"]:
        return f"send {row['send']}: "
    if row["edition"]:
        return f"edition {row['edition']}: "
    return f"{row['publication']}: " if row["publication"] else ""
