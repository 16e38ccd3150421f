"""`newsdesk new-segment SLUG --publication P --rule JSON`: a saved rule; repeated, it replaces the rule."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management import editorial
from newsdesk.management.base import NewsdeskCommand
from newsdesk.management.rules import EXAMPLE, read_rule


class Command(NewsdeskCommand):
    help = "Save a rule over subscribers under a name and count its readers. A segment of that name is replaced."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("slug", metavar="SLUG", help="the segment's short name")
        parser.add_argument("--publication", required=True, metavar="P", help="the publication's slug")
        parser.add_argument("--rule", required=True, metavar="JSON", help=f"such as {EXAMPLE}, or @FILE")
        parser.add_argument("--name", metavar="N", help="what editors see (default: the slug)")

    def handle(self, *args: Any, **options: Any) -> None:
        from subscribers.rule_warnings import rule_warnings
        from subscribers.saved_segments import count_readers, save_segment
        from subscribers.segments import RuleError, parse

        publication = editorial.publication_named(options["publication"])
        rule = read_rule(options["rule"])
        try:
            segment, created = save_segment(publication.pk, options["slug"], rule, name=options["name"])
        except RuleError as error:
            raise InputError(f"--rule: {error}") from error
        except ValidationError as error:
            raise InputError(editorial.as_line(error, {"slug": "SLUG", "name": "--name"})) from error
        readers = count_readers(publication.pk, segment.rule)
        for warning in rule_warnings(publication.pk, parse(segment.rule)):
            self.stderr.write(f"warning: {warning}")
        done = "made" if created else "replaced"
        self.report(
            {"segment": segment.slug, "readers": readers},
            f"{done} {segment.slug}: {readers} reader{'' if readers == 1 else 's'} now",
        )
