"""`newsdesk import-stories SOURCE… --publication P`: digests, tables, pages and feeds → stories, all of them or none."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.management import editorial, incoming
from newsdesk.management.base import NewsdeskCommand

SOURCE = "a digest (text, Markdown, HTML, a Word file or a mail), a table (.csv, .json), or the URL of a page or feed"


class Command(NewsdeskCommand):
    help = "Take stories into a publication from files and addresses; repeats of earlier stories are recognised."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("sources", metavar="SOURCE", nargs="+", help=SOURCE)
        parser.add_argument(
            "--encoding", metavar="NAME", default="", help="the files' encoding, where their bytes do not tell it"
        )
        parser.add_argument("--publication", required=True, metavar="P", help="the publication's slug")

    def handle(self, *args: Any, **options: Any) -> None:
        from django.db import transaction

        publication = editorial.publication_named(options["publication"])
        read = [incoming.read(source, encoding=options["encoding"]) for source in options["sources"]]
        with transaction.atomic():
            intakes = [one.store(publication) for one in read]
        pictures = [
            line for one, intake in zip(read, intakes, strict=True) for line in incoming.give_pictures(one, intake)
        ]
        created = sum(intake.created for intake in intakes)
        repeated = sum(intake.repeated for intake in intakes)
        stories = {story.pk: story.headline for intake in intakes for story in intake.stories}
        doubts = [problem for one in read for problem in editorial.doubts(one.digest)]
        self.report(
            {
                "created": created,
                "repeated": repeated,
                "stories": [{"id": pk, "headline": headline} for pk, headline in stories.items()],
                "problems": editorial.as_json(doubts),
                "report": read[0].report(),
                "reports": [{"source": one.source, **one.report()} for one in read],
                "pictures": pictures,
            },
            "\n".join(
                [
                    *(line for one in read for line in one.remarks()),
                    *pictures,
                    *(f"{pk:>6}  {headline}" for pk, headline in stories.items()),
                    f"{created} new, {repeated} repeated",
                ]
            ),
        )
