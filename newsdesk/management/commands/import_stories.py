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
            "sources", metavar="SOURCE", nargs="+", help="a digest: text, Markdown, HTML, a Word file or a mail"
        )
        parser.add_argument(
            "--encoding", metavar="NAME", default="", help="the files' encoding, where their bytes do not tell it"
        )
        parser.add_argument("--publication", required=True, metavar="P", help="the publication's slug")

    def handle(self, *args: Any, **options: Any) -> None:
        from django.db import transaction

        from composer.intake import import_digest

        publication = editorial.publication_named(options["publication"])
        digests = [editorial.read_digest(source, encoding=options["encoding"]) for source in options["sources"]]
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
                "problems": editorial.as_json(problem for digest in digests for problem in editorial.doubts(digest)),
                "report": digests[0].report.as_json(),
                "reports": [
                    {"source": source, **digest.report.as_json()}
                    for source, digest in zip(options["sources"], digests, strict=True)
                ],
            },
            "\n".join(
                [
                    *(line for digest in digests for line in editorial.dropped_lines(digest)),
                    *(line for digest in digests for line in editorial.as_text(editorial.doubts(digest))),
                    *(f"{pk:>6}  {headline}" for pk, headline in stories.items()),
                    f"{created} new, {repeated} repeated",
                ]
            ),
        )
