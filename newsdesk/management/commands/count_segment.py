"""`newsdesk count-segment --publication P --rule JSON`: whom a rule would hold, without saving it."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management import editorial
from newsdesk.management.base import NewsdeskCommand
from newsdesk.management.rules import EXAMPLE, read_rule


class Command(NewsdeskCommand):
    help = "Count the readers of a rule and say it in words. Nothing is saved."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--publication", required=True, metavar="P", help="the publication's slug")
        parser.add_argument("--rule", required=True, metavar="JSON", help=f"such as {EXAMPLE}, or @FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        from subscribers.rule_warnings import rule_warnings
        from subscribers.saved_segments import count_readers
        from subscribers.segments import RuleError, in_words, parse

        publication = editorial.publication_named(options["publication"])
        written = read_rule(options["rule"])
        try:
            readers = count_readers(publication.pk, written)
        except RuleError as error:
            raise InputError(f"--rule: {error}") from error
        rule = parse(written)
        words, warnings = in_words(rule), rule_warnings(publication.pk, rule)
        lines = [
            f"{words}: {readers} reader{'' if readers == 1 else 's'} now",
            *(f"warning: {one}" for one in warnings),
        ]
        self.report({"readers": readers, "in_words": words, "warnings": warnings}, "\n".join(lines))
