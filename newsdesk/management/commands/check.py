"""`newsdesk check EDITION`: what stands in the way of approving it. Without an edition: Django's own system check."""

import argparse
from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands.check import Command as SystemCheck

from newsdesk.core.errors import OperationFailedError
from newsdesk.management import editorial
from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "Check an edition as approving it would. Without EDITION: check this installation (Django's system check)."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("edition", metavar="EDITION", nargs="?", help="its id, or publication and number: weekly/3")
        parser.add_argument("--deploy", action="store_true", help="without EDITION: check the settings for production")
        parser.add_argument("--fail-level", default="ERROR", help=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["edition"] is None:
            self._check_the_system(options)
            return
        from tasks.approvals.approving import check_edition

        edition = editorial.edition_named(options["edition"])
        problems = check_edition(edition)
        errors = sum(problem.level == "error" for problem in problems)
        self.report(
            {"edition": edition.pk, "problems": editorial.as_json(problems)},
            "\n".join(editorial.as_text(problems) or [f"{edition}: nothing to mend"]),
        )
        if errors:
            raise OperationFailedError(
                f"edition {edition.pk}: {errors} error{'s' if errors > 1 else ''} must be mended before approval"
            )

    def _check_the_system(self, options: dict[str, Any]) -> None:
        system = SystemCheck()
        system.stdout, system.stderr = self.stdout, self.stderr
        system.handle(
            tags=None, list_tags=False, deploy=options["deploy"], fail_level=options["fail_level"], databases=None
        )
