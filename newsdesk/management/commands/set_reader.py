"""`newsdesk set-reader ADDRESS`: change what is known of one reader."""

from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management import editorial, reading, sending
from newsdesk.management.base import NewsdeskCommand

_OPTIONS = {"tags": "--tag", "untags": "--untag", "attributes": "--attribute"}


class Command(NewsdeskCommand):
    help = (
        "Change a reader's name, language, timezone, tags, attributes or answer on tracking. What is not named stays."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("address", metavar="ADDRESS", help="in any case")
        parser.add_argument("--name", metavar="N", help='"" takes it away')
        parser.add_argument("--language", metavar="L", help='such as en, or "" for the publication\'s')
        parser.add_argument("--timezone", metavar="Z", help='such as Asia/Singapore, or "" for the publication\'s')
        parser.add_argument("--tag", action="append", default=[], metavar="T", help="add a tag")
        parser.add_argument("--untag", action="append", default=[], metavar="T", help="take a tag away")
        parser.add_argument("--attribute", action="append", default=[], metavar="NAME=VALUE", help="set an attribute")
        parser.add_argument("--unset", action="append", default=[], metavar="NAME", help="take an attribute away")
        parser.add_argument("--tracking", metavar="A", help="granted or denied: what they said of opens and clicks")

    def handle(self, *args: Any, **options: Any) -> None:
        from subscribers import profile

        changes = profile.Changes(
            name=options["name"],
            language=options["language"],
            timezone=options["timezone"],
            tags=options["tag"],
            untags=options["untag"],
            attributes=dict(map(_pair, options["attribute"])),
            unset=options["unset"],
            tracking=options["tracking"],
        )
        if changes == profile.Changes(tags=[], untags=[], unset=[]):
            raise InputError("set-reader: nothing to change was named; see set-reader --help")
        changes = replace(changes, source=sending.at_the_command_line())
        reader = reading.reader_named(options["address"])
        try:
            data = reading.as_data(profile.change(reader, changes))
        except ValidationError as error:
            raise InputError(editorial.as_line(error, _OPTIONS)) from error
        self.report(data, reading.as_text(data))


def _pair(text: str) -> tuple[str, str]:
    name, is_pair, value = text.partition("=")
    if not is_pair or not name.strip():
        raise InputError(f"--attribute: {text!r} is not NAME=VALUE")
    return name.strip(), value.strip()
