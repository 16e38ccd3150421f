"""`newsdesk unsuppress ADDRESS --why TEXT`: let an address, a domain or a hash be mailed again."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.management.base import NewsdeskCommand
from newsdesk.management.commands.import_suppressions import publication_id


class Command(NewsdeskCommand):
    help = "Take the suppressions of an address or a domain away; why is kept. Nobody is put on a list by it."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("address", metavar="ADDRESS", help="an address, @example.com, or a hash")
        parser.add_argument("--why", required=True, metavar="TEXT", help="kept for good")
        parser.add_argument("--publication", metavar="P", help="only those of this publication")
        parser.add_argument("--really", action="store_true", help="also a complaint or an erasure")

    def handle(self, *args: Any, **options: Any) -> None:
        from subscribers.lifting import lift

        lifted = lift(
            options["address"], why=options["why"], publication_id=publication_id(options), really=options["really"]
        )
        reasons = sorted({row.reason for row in lifted})
        said = f"{options['address']} is suppressed no more ({', '.join(reasons)}); who had left a list stays off it"
        self.report({"address": options["address"], "lifted": reasons}, said)
