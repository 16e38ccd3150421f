"""`newsdesk erase-reader ADDRESS`: nothing of one person stays, but a keyed hash that keeps them out."""

import sys
from typing import Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError, OperationFailedError
from newsdesk.management import sending
from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "Erase one person everywhere: profile, mails, events, raw webhook bodies, suppressions, files; also at the provider."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("address", metavar="ADDRESS", help="in any case; nobody has to be a reader to be erased")
        parser.add_argument("--yes", action="store_true", help="do not ask; it cannot be undone")
        parser.add_argument(
            "--rewrite",
            action="store_true",
            help="write the tables anew, so that no free space of theirs holds the address; they are locked meanwhile",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.privacy import erasing
        from tasks.providers.registry import get_transport

        address = options["address"].strip()
        if "@" not in address.strip("@"):
            raise InputError(f"ADDRESS: {address!r} is no address")
        if not options["yes"]:
            _ask(address)
        done = erasing.erase(
            address, who=sending.at_the_command_line(), transport=get_transport(), rewrite=options["rewrite"]
        )
        answer = done.answer
        data = {
            "erasure": done.erasure.pk,
            "complete": done.complete,
            "rows": done.rows,
            "files": done.files,
            "provider": done.erasure.provider_answer or None,
        }
        rows, where = sum(done.rows.values()), len(done.rows)
        self.report(
            data, f"{rows} row{'s' * (rows != 1)} in {where} table{'s' * (where != 1)} and {done.files} files erased"
        )
        if answer is not None and not answer.accepted:
            raise OperationFailedError(
                f"everything here is erased, but the provider did not take it ({answer.status or 'no answer'}: {answer.body}); "
                "run erase-reader again with the same address"
            )


def _ask(address: str) -> None:
    if not sys.stdin.isatty():
        raise InputError("erase-reader: it cannot be undone; say --yes where nobody can be asked")
    print(f"Everything that is held of {address} will be erased, here and at the provider. It cannot be undone.")  # noqa: T201
    if input("Write the address again to go on: ").strip().lower() != address.lower():
        raise InputError("erase-reader: that was another address; nothing was erased")
