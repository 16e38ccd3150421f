"""`newsdesk suppress ADDRESS --reason R`: never mail an address, a domain or a hash again."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.management.base import NewsdeskCommand
from newsdesk.management.commands.import_suppressions import add_reason, publication_id


class Command(NewsdeskCommand):
    help = "Never mail an address, or a whole domain, again; for one publication or everywhere."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("address", metavar="ADDRESS", help="an address, @example.com, or a hash")
        add_reason(parser)
        parser.add_argument("--detail", default="", metavar="TEXT", help="kept with it")

    def handle(self, *args: Any, **options: Any) -> None:
        from subscribers.suppression_import import suppress_one

        new = suppress_one(
            options["address"],
            reason=options["reason"],
            publication_id=publication_id(options),
            detail=options["detail"] or "suppress",
        )
        said = "is suppressed" if new else "was suppressed already"
        self.report(
            {"address": options["address"], "reason": options["reason"], "added": new},
            f"{options['address']} {said}: {options['reason'].replace('_', ' ')}",
        )
