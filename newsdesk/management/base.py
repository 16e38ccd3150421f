"""What the project's own commands share."""

import contextlib
import json
import sys
from argparse import SUPPRESS, ArgumentParser
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandParser, OutputWrapper

from newsdesk import __version__


class NewsdeskCommand(BaseCommand):
    """A command with the project's manners. Import models inside `handle`, so that --help is quick.

    Raise newsdesk.core.errors.InputError or Failure; the command line prints it as one line.
    """

    #: The command line provides these for as long as the command runs.
    needs_database = True
    needs_broker = False
    #: Whether the embedded database is brought up to date first.
    migrates = True
    #: Whether it takes --json.
    reports = True
    requires_system_checks = ()

    _json_output: TextIO | OutputWrapper | None = None

    def get_version(self) -> str:
        return __version__

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        if self.reports:
            parser.add_argument(
                "--json", action="store_true", help="print one JSON object on stdout, all else on stderr"
            )
        _hide_django_options(parser)
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        if not options.get("json"):
            return super().execute(*args, **options)
        self._json_output = options.get("stdout") or self.stdout
        options["stdout"] = sys.stderr
        with contextlib.redirect_stdout(sys.stderr):
            return super().execute(*args, **options)

    def report(self, data: dict[str, Any], text: str) -> None:
        """The command's result: the data as one JSON object with --json, else the text."""
        if self._json_output is not None:
            self._json_output.write(json.dumps(data, ensure_ascii=False, default=str) + "\n")
        else:
            self.stdout.write(text)


def _hide_django_options(parser: ArgumentParser) -> None:
    """They still work; a reader who wants to send a newsletter is better off without them."""
    hidden = {"--settings", "--pythonpath", "--no-color", "--force-color", "--skip-checks", "--verbosity"}
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way
        if hidden & set(action.option_strings):
            action.help = SUPPRESS
