"""`newsdesk lint-theme DIR`: what is wrong with an editor's own theme, by file and line."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from newsdesk.core.errors import InputError, OperationFailedError
from newsdesk.management.base import NewsdeskCommand


class Command(NewsdeskCommand):
    help = "Look through a theme's folder: every fault by file and line. Needs no database."
    needs_database = False

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("folder", metavar="DIR", help="the folder with theme.toml and edition.mjml.j2")

    def handle(self, *args: Any, **options: Any) -> None:
        from composer.theme_linting import faults

        folder = Path(options["folder"]).resolve()
        try:
            results = faults(folder)
        except OSError as error:
            raise InputError(f"{options['folder']}: {error.strerror or error}") from error
        text = "\n".join(map(str, results)) or f"{folder.name}: nothing to mend"
        self.report({"theme": folder.name, "faults": [asdict(fault) for fault in results]}, text)
        if results:
            raise OperationFailedError(f"{folder.name}: {len(results)} fault{'s' if len(results) > 1 else ''}")
