"""`newsdesk import-stories SOURCE… --publication P`: digest files → stories, all of them or none."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.management import editorial
from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "Take the stories of digest files into a publication; repeats of earlier stories are recognised."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "sources", metavar="SOURCE", nargs="+", help="a digest: title, introduction, numbered stories"
        )
        parser.add_argument("--publication", required=True, metavar="P", help="the publication's slug")

    def handle(self, *args: Any, **options: Any) -> None:
        from django.db import transaction

        from composer.intake import import_digest

        publication = editorial.publication_named(options["publication"])
        digests = [editorial.read_digest(source) for source in options["sources"]]
        with transaction.atomic():
            intakes = [import_digest(publication, digest) for digest in digests]
        created = sum(intake.created for intake in intakes)
        repeated = sum(intake.repeated for intake in intakes)
        stories = {story.pk: story.headline for intake in intakes for story in intake.stories}
        self.report(
            {
                "created": created,
                "repeated": repeated,
                "stories": [{"id": pk, "headline": headline} for pk, headline in stories.items()],
            },
            "\n".join(
                [*(f"{pk:>6}  {headline}" for pk, headline in stories.items()), f"{created} new, {repeated} repeated"]
            ),
        )
