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
        parser.add_argument(
            "--encoding", metavar="NAME", default="", help="the digest's, where its bytes do not tell it"
        )
        parser.add_argument(
            "--accept-doubts",
            action="store_true",
            help="approve though some lines of the digest could be read otherwise",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from composer.composition import compose
        from tasks.approvals.approving import Verdict, approve_and_check, check_edition

        publication = editorial.publication_named(options["publication"])
        if publication.second_approver:
            raise InputError(
                f"--publication: {publication.slug} wants a second person to approve; compose and approve at the desk"
            )
        digest = editorial.read_digest(options["digest"], encoding=options["encoding"]) if options["digest"] else None
        stories = _stories(publication, options["stories"] or ())
        try:
            edition = compose(
                publication, stories=stories, digest=digest, title=options["title"], subject=options["subject"]
            )
        except ValidationError as error:
            raise InputError(editorial.as_line(error, {})) from error
        doubts = editorial.doubts(digest)
        if doubts and not options["accept_doubts"]:
            lines = f"{len(doubts)} line{'' if len(doubts) == 1 else 's'} of the digest could be read otherwise"
            refusal = f"{lines}; look at the warnings, and give --accept-doubts where they are right as they are"
            verdict = Verdict(None, refusal, check_edition(edition))
        else:
            verdict = approve_and_check(edition, None)
        problems = (*doubts, *verdict.problems)
        refusal = f"No. {edition.number} stays a draft (edition {edition.pk}): {verdict.refusal}"
        approved = [f"edition {edition.pk}: {edition} is approved"] if verdict.approval else []
        self.report(
            {
                "edition": edition.pk,
                "number": edition.number,
                "problems": editorial.as_json(problems),
                **({"report": digest.report.as_json()} if digest else {}),
            },
            "\n".join([*editorial.dropped_lines(digest), *editorial.as_text(problems), *approved]),
        )
        if verdict.approval is None:
            raise OperationFailedError(refusal)


def _stories(publication: "Publication", ids: Sequence[int]) -> list["Story"]:
    stories = publication.stories.in_bulk(ids)
    missing = [str(pk) for pk in ids if pk not in stories]
    if missing:
        raise InputError(f"--stories: {publication.slug} has no story {', '.join(missing)}")
    return [stories[pk] for pk in ids]
