"""Which commands there are, found without starting Django: a question about usage is answered at once."""

import difflib
import importlib
import importlib.util
import pkgutil
import sys
from pathlib import Path

import django.core.management
from django.core.exceptions import AppRegistryNotReady, ImproperlyConfigured
from django.core.management.base import BaseCommand

from newsdesk.core.errors import InputError

COMMANDS = "newsdesk.management.commands"


def ours() -> list[str]:
    """The names of the project's own commands, as they are typed."""
    folder = Path(__file__).parent / "commands"
    return sorted(_typed(module.name) for module in pkgutil.iter_modules([str(folder)]) if module.name[0] != "_")


def module_name(typed: str) -> str:
    """The name Django knows a command by: `import-stories` and `import_stories` are the same."""
    return typed.replace("-", "_")


def _typed(module: str) -> str:
    return module.replace("_", "-")


def load(typed: str) -> BaseCommand | None:
    """One of our commands, without Django's applications; None when it is not ours or needs them to be loaded."""
    if _typed(typed) not in ours():
        return None
    try:
        module = importlib.import_module(f"{COMMANDS}.{module_name(typed)}")
    except (AppRegistryNotReady, ImproperlyConfigured):
        return None
    command = module.Command()
    assert isinstance(command, BaseCommand)
    return command


def print_help(typed: str) -> bool:
    """Print the usage of one of our commands; False when Django has to do it."""
    command = load(typed)
    if command is None:
        return False
    try:
        parser = command.create_parser("newsdesk", _typed(typed))
    except (AppRegistryNotReady, ImproperlyConfigured):
        return False
    parser.print_help(sys.stdout)
    return True


def overview() -> str:
    """Every command: ours with one line each, then Django's and Wagtail's by name."""
    names = ours()
    width = max(map(len, names), default=0)
    lines = ["Usage: newsdesk COMMAND [OPTION…]   (newsdesk COMMAND --help tells more)", ""]
    lines += [f"  {name:<{width}}  {_summary(name)}".rstrip() for name in names]
    others = sorted(_typed(name) for name in _all() if _typed(name) not in names)
    return "\n".join([*lines, "", "From Django and Wagtail:", *_wrapped(others)]) + "\n"


def _summary(typed: str) -> str:
    command = load(typed)
    return command.help.strip().split("\n", 1)[0] if command else ""


def _wrapped(names: list[str]) -> list[str]:
    import textwrap

    return textwrap.wrap(
        "  ".join(names), width=100, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )


def _all() -> list[str]:
    """The names of all commands, as Django writes them, without loading an application."""
    from django.conf import settings
    from django.core.management import find_commands

    names = set(find_commands(django.core.management.__path__[0]))
    for application in settings.INSTALLED_APPS:
        spec = importlib.util.find_spec(application)
        for folder in (spec.submodule_search_locations if spec else None) or []:
            names.update(find_commands(str(Path(folder) / "management")))
    return sorted(names)


def known(typed: str) -> str:
    """The name Django knows a command by. Raises InputError, with a guess, when there is no such command."""
    name = module_name(typed)
    available = _all()
    if name in available:
        return name
    close = difflib.get_close_matches(_typed(name), [_typed(each) for each in available], n=1)
    guess = f"did you mean {close[0]}?" if close else "newsdesk help lists them."
    raise InputError(f"there is no command {typed}; {guess}")
