"""`newsdesk alarms [--clear ID | --test]`: what a person must look at."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError, OperationFailedError
from newsdesk.management import sending
from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "List the open alarms, or clear one that was seen to."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        instead = parser.add_mutually_exclusive_group()
        instead.add_argument("--clear", metavar="ID", type=int, help="this one was seen to")
        instead.add_argument(
            "--test", action="store_true", help="post a test to NEWSDESK_ALARM_URL, and say what it answers"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.alarms import raising
        from tasks.models import Alarm
        from tasks.sends.counts import how_to_release

        if options["test"]:
            self._test()
            return
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

    def _test(self) -> None:
        from django.conf import settings

        from tasks.alarms import posting

        if not settings.ALARM_URL:
            raise InputError("--test: NEWSDESK_ALARM_URL is not set")
        if failure := posting.post_test():
            raise OperationFailedError(f"NEWSDESK_ALARM_URL: the test was not taken: {failure}")
        self.report({"posted": True}, "the test was taken")


def _about(row: dict[str, Any]) -> str:
    if row["send"]:
        return f"send {row['send']}: "
    if row["edition"]:
        return f"edition {row['edition']}: "
    return f"{row['publication']}: " if row["publication"] else ""
