"""`newsdesk receipts [--try-again ID … | --set-aside ID …]`: what the provider reported and nobody can read."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management import sending
from newsdesk.management.base import NewsdeskCommand

_MOST_LISTED = 100


class Command(NewsdeskCommand):
    help = "List the signed reports that cannot be read, have them read again, or set them aside for good."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        instead = parser.add_mutually_exclusive_group()
        instead.add_argument("--try-again", metavar="ID", nargs="+", help="read these again; `all` for all")
        instead.add_argument(
            "--set-aside",
            metavar="ID",
            nargs="+",
            help="give up what these say, so that silence is believed again: what they prove may be sent twice; `all` for all",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.feedback import unreadable_receipts

        if options["set_aside"]:
            found = unreadable_receipts.set_aside(_ids(options["set_aside"]), who=sending.at_the_command_line())
            self._report_settled("set_aside", found, "set aside; silence is judged without them")
        elif options["try_again"]:
            found = unreadable_receipts.try_again(_ids(options["try_again"]))
            self._report_settled("tried_again", found, "read again by a worker")
        else:
            self._list()

    def _report_settled(self, what: str, found: list[int], text: str) -> None:
        if not found:
            raise InputError("ID: no unreadable receipt has this id; newsdesk receipts lists them")
        self.report({what: found}, f"receipts {', '.join(map(str, found))}: {text}")

    def _list(self) -> None:
        from tasks.feedback.unreadable_receipts import unreadable

        rows = [
            {
                "id": receipt.pk,
                "provider": receipt.provider,
                "received_at": receipt.received_at.isoformat(timespec="seconds"),
                "error": receipt.error,
            }
            for receipt in unreadable()[:_MOST_LISTED]
        ]
        lines = [f"{row['id']:>5}  {row['received_at']}  {row['provider']}: {row['error']}" for row in rows]
        more = unreadable().count() - len(rows)
        if more:
            lines.append(f"and {more} more")
        self.report({"receipts": rows, "more": more}, "\n".join(lines) or "every receipt can be read")


def _ids(words: list[str]) -> list[int]:
    from tasks.feedback.unreadable_receipts import unreadable

    if words == ["all"]:
        return list(unreadable().values_list("pk", flat=True))
    if not all(word.isdecimal() and len(word) <= 18 for word in words):
        raise InputError("ID: not a number; newsdesk receipts lists them")
    return [int(word) for word in words]
