"""`newsdesk sunset PUBLICATION`: who would be left out for having read nothing; agreeing to it, and taking it back."""

from typing import Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError
from newsdesk.management import editorial
from newsdesk.management.base import NewsdeskCommand
from newsdesk.management.sending import at_the_command_line


class Command(NewsdeskCommand):
    help = "Show how many readers a publication's sunset rule means, agree to leave them out, or bring everybody back."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("publication", metavar="PUBLICATION", help="its slug")
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument(
            "--agree",
            type=int,
            metavar="READERS",
            help="leave so many out from tonight on: the number shown without it",
        )
        choice.add_argument(
            "--bring-back", metavar="WHY", help="mail everybody again whom the rule left out; why is kept"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from tasks.feedback import sunset

        publication = editorial.publication_named(options["publication"])
        back = 0
        if options["agree"] is not None:
            sunset.confirm(publication, options["agree"], who=at_the_command_line())
        elif options["bring_back"] is not None:
            if not options["bring_back"].strip():
                raise InputError("--bring-back: say why; it is kept")
            back = sunset.lift_all(publication, why=options["bring_back"].strip())
        found = sunset.standing(publication)
        data = {
            "publication": publication.slug,
            "on": found.is_on,
            "silent": found.silent,
            "agreed": found.confirmed,
            "left_out": found.left_out,
            "brought_back": back,
        }
        self.report(data, _in_words(data))


def _in_words(data: dict[str, Any]) -> str:
    lines = [f"{data['left_out']} left out so far"]
    if data["brought_back"]:
        lines.insert(0, f"{data['brought_back']} are mailed again")
    if not data["on"]:
        return "\n".join(["no sunset rule is set, or opens and clicks are not reported", *lines])
    then = "left out tonight" if data["agreed"] else f"left out once somebody agrees: --agree {data['silent']}"
    return "\n".join(
        [
            f"{data['silent']} readers opened and clicked nothing; {then if data['silent'] else 'nobody is left out'}",
            *lines,
        ]
    )
