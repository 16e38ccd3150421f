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
        from composer.theme_trial import faults

        folder = Path(options["folder"]).resolve()
        try:
            found = faults(folder)
        except OSError as error:
            raise InputError(f"{options['folder']}: {error.strerror or error}") from error
        text = "\n".join(map(str, found)) or f"{folder.name}: nothing to mend"
        self.report({"theme": folder.name, "faults": [asdict(fault) for fault in found]}, text)
        if found:
            raise OperationFailedError(f"{folder.name}: {len(found)} fault{'s' if len(found) > 1 else ''}")
