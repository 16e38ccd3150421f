"""`newsdesk verify-consents`: whether the consent ledger is as it was written."""

import re
from typing import Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "Look for any change, deletion or insertion in the ledger of consents; ends with 1 when there is one."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--expect", default="", metavar="HASH", help="a head noted earlier, which must still be in the chain"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from subscribers import consent_ledger

        expected = options["expect"].strip().lower()
        if expected and not re.fullmatch(r"[0-9a-f]{64}", expected):
            raise InputError("--expect: give the 64 hexadecimal digits that verify-consents printed as the head")
        found = consent_ledger.verify(expected=expected)
        data = {
            "intact": not found.problems,
            "consents": found.consents,
            "seals": found.seals,
            "head": found.head,
            "problems": found.problems,
        }
        said = "as they were written" if not found.problems else f"NOT as they were written ({len(found.problems)})"
        lines = [
            f"{found.consents:,} consents in {found.seals:,} seals are {said}",
            f"head: {found.head}",
            *found.problems,
        ]
        self.report(data, "\n".join(lines))
        if found.problems:
            raise SystemExit(1)
