"""`newsdesk compose --publication P (--digest FILE | --stories ID…)`: an edition, approved when it passes the checks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError, OperationFailedError
from newsdesk.management import editorial
from newsdesk.management.base import NewsdeskCommand

if TYPE_CHECKING:
    from composer.models import Publication, Story


class Command(NewsdeskCommand):
    help = "Make the next edition of a publication; it is approved when it passes the checks, else it stays a draft."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--publication", required=True, metavar="P", help="the publication's slug")
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--digest", metavar="FILE", help="takes its stories, title, introduction and closing")
        source.add_argument("--stories", metavar="ID", nargs="+", type=int, help="stories of the publication, in order")
        parser.add_argument("--title", default="", help="default: the digest's title, or the publication's")
        parser.add_argument("--subject", default="", help="default: the title")

    def handle(self, *args: Any, **options: Any) -> None:
        from composer.composition import compose
        from tasks.approvals.approving import approve_and_check

        publication = editorial.publication_named(options["publication"])
        if publication.second_approver:
            raise InputError(
                f"--publication: {publication.slug} wants a second person to approve; compose and approve at the desk"
            )
        digest = editorial.read_digest(options["digest"]) if options["digest"] else None
        stories = _stories(publication, options["stories"] or ())
        try:
            edition = compose(
                publication, stories=stories, digest=digest, title=options["title"], subject=options["subject"]
            )
        except ValidationError as error:
            raise InputError(editorial.as_line(error, {})) from error
        verdict = approve_and_check(edition, None)
        problems = (*editorial.doubts(digest), *verdict.problems)
        refusal = f"No. {edition.number} stays a draft (edition {edition.pk}): {verdict.refusal}"
        approved = [f"edition {edition.pk}: {edition} is approved"] if verdict.approval else []
        self.report(
            {"edition": edition.pk, "number": edition.number, "problems": editorial.as_json(problems)},
            "\n".join([*editorial.as_text(problems), *approved]),
        )
        if verdict.approval is None:
            raise OperationFailedError(refusal)


def _stories(publication: "Publication", ids: Sequence[int]) -> list["Story"]:
    stories = publication.stories.in_bulk(ids)
    missing = [str(pk) for pk in ids if pk not in stories]
    if missing:
        raise InputError(f"--stories: {publication.slug} has no story {', '.join(missing)}")
    return [stories[pk] for pk in ids]
