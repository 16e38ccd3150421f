"""`newsdesk remove-reader ADDRESS --publication P [--list L]`: take one reader off a list, or off all of a publication."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.management import editorial, reading
from newsdesk.management.base import NewsdeskCommand

SOURCE = "remove-reader"


class Command(NewsdeskCommand):
    help = "Take a reader off a list or off all lists of a publication. What they agreed to stays on record, with its withdrawal."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("address", metavar="ADDRESS", help="in any case")
        parser.add_argument("--publication", required=True, metavar="P", help="the publication's slug")
        parser.add_argument("--list", metavar="L", help="this list only; default: all, for good")
        parser.add_argument("--why", default="", metavar="TEXT", help="kept with the withdrawal")

    def handle(self, *args: Any, **options: Any) -> None:
        from subscribers import preferences, suppression

        publication = editorial.publication_named(options["publication"])
        chosen = editorial.list_named(publication, options["list"]) if options["list"] else None
        reader = reading.reader_named(options["address"])
        source = f"{SOURCE}: {options['why']}" if options["why"] else SOURCE
        if chosen:
            removed = preferences.leave_list(reader.pk, chosen.pk, source=source[:200])
            where = f"{publication.slug}/{chosen.slug}"
        else:
            removed = suppression.unsubscribe(reader.pk, publication.pk, source)
            where = f"every list of {publication.slug}"
        consent = "their consents stay as proof, and that they were withdrawn today is added"
        said = (
            f"{reader.email} is off {where}; {consent}"
            if removed
            else f"{reader.email} was not on {where}; nothing is changed"
        )
        self.report(
            {"email": reader.email, "removed": removed, "consents": "withdrawn" if removed else "unchanged"}, said
        )
