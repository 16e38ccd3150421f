"""Runs one command: parses its words, provides the engines it needs, lets errors pass to the command line."""

from collections.abc import Sequence
from typing import Any

import django
from django.core.management import execute_from_command_line, load_command_class
from django.core.management.base import BaseCommand, CommandError, handle_default_options
from django.db import connections

from newsdesk.core.errors import InputError
from newsdesk.local_stack.provision import provided
from newsdesk.management import directory
from newsdesk.management.base import NewsdeskCommand

#: Commands of Django and Wagtail that need no database.
WITHOUT_DATABASE = frozenset(
    {
        "check",
        "collectstatic",
        "compilemessages",
        "diffsettings",
        "findstatic",
        "makemessages",
        "sendtestemail",
        "startapp",
        "startproject",
    }
)
#: These start themselves again, or make their own database.
LEFT_TO_DJANGO = frozenset({"runserver", "test", "testserver"})


def run(arguments: Sequence[str]) -> None:
    """Run the command these words name. Raises InputError for words it does not understand, else what it raises."""
    typed = arguments[0]
    name = directory.known(typed)
    if name in LEFT_TO_DJANGO:
        execute_from_command_line(["newsdesk", name, *arguments[1:]])
        return
    django.setup()
    command = load(name)
    options = _parse(command, typed, arguments[1:])
    positional: Sequence[Any] = options.pop("args", ())
    try:
        if isinstance(command, NewsdeskCommand):
            database, broker, migrate = command.needs_database, command.needs_broker, command.migrates
        else:
            database, broker, migrate = name not in WITHOUT_DATABASE, False, False
        with provided(database=database, broker=broker, migrate=migrate):
            command.execute(*positional, **options)
    finally:
        connections.close_all()


def load(name: str) -> BaseCommand:
    """The command of this name, of any installed application."""
    from django.core.management import get_commands

    application = get_commands()[name]
    if isinstance(application, BaseCommand):
        return application
    command = load_command_class(application, name)
    assert isinstance(command, BaseCommand)
    return command


def _parse(command: BaseCommand, typed: str, words: Sequence[str]) -> dict[str, Any]:
    parser = command.create_parser("newsdesk", typed.replace("_", "-"))
    try:
        namespace = parser.parse_args(list(words))
    except CommandError as error:
        reason = str(error).removeprefix("Error: ")
        raise InputError(f"{typed}: {reason} (newsdesk {typed} --help tells more)") from error
    handle_default_options(namespace)
    return vars(namespace)
