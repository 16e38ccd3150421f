"""The command line: Django's, under the project's name and with its manners.

Errors are one line on stderr: exit 2 when what was asked cannot be done as written, 1 when it failed. `--traceback`
shows where.
"""

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from newsdesk import __version__
from newsdesk.core.errors import InputError, NewsdeskError

BAD_INPUT = 2
FAILED = 1
INTERRUPTED = 130
NOBODY_READS = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsdesk.settings")
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOBODY_READS
    except SystemExit as end:
        return _code(end)
    except Exception as error:
        if "--traceback" in words:
            raise
        line, code = explain(error)
        sys.stderr.write(f"newsdesk: {line}\n")
    return code


def _run(arguments: list[str]) -> int:
    from newsdesk.management import directory  # noqa: PLC0415 - so that --help is quick

    if arguments[:1] == ["help"] and len(arguments) > 1:
        arguments = [arguments[1], "--help"]
    if not arguments or arguments[0] in {"help", "--help", "-h"}:
        sys.stdout.write(directory.overview())
        return 0
    if arguments[0] in {"version", "--version"}:
        sys.stdout.write(f"newsdesk {__version__}\n")
        return 0
    if {"--help", "-h"} & set(arguments[1:]) and directory.print_help(arguments[0]):
        return 0
    signal.signal(signal.SIGTERM, _end)
    from newsdesk.management import runner  # noqa: PLC0415 - so that --help is quick

    runner.run(arguments)
    return 0


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    """Leave through every `with` and `finally`, so that engines started for a command stop as they should."""
    sys.exit(128 + number)


def _code(end: SystemExit) -> int:
    if isinstance(end.code, str):
        sys.stderr.write(f"newsdesk: {_line(end.code)}\n")
        return FAILED
    return end.code or 0


def explain(error: Exception) -> tuple[str, int]:
    """What to say about an error, in one line, and the exit code."""
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415 - so that --help is quick
    from django.core.management.base import CommandError  # noqa: PLC0415 - so that --help is quick
    from django.db import DatabaseError, InterfaceError, ProgrammingError  # noqa: PLC0415 - so that --help is quick
    from kombu.exceptions import OperationalError as BrokerError  # noqa: PLC0415 - so that --help is quick
    from redis.exceptions import RedisError  # noqa: PLC0415 - so that --help is quick

    message = _line(error)
    # PostgreSQL goes on with the statement and a pointer into it.
    cause = message.split(" LINE 1: ", 1)[0]
    manners: tuple[tuple[tuple[type[Exception], ...], str, int], ...] = (
        ((InputError, ImproperlyConfigured, CommandError), message, BAD_INPUT),
        ((NewsdeskError,), message, FAILED),
        ((ProgrammingError,), f"the database lacks what this version needs (newsdesk migrate): {cause}", FAILED),
        ((DatabaseError, InterfaceError), f"the database: {cause}", FAILED),
        ((BrokerError, RedisError), f"the broker: {message}", FAILED),
        ((OSError,), _about_files(error), FAILED),
    )
    for kinds, line, code in manners:
        if isinstance(error, kinds):
            return line, code
    return f"unexpected {type(error).__name__}: {message} (--traceback shows where)", FAILED


def _about_files(error: Exception) -> str:
    named = isinstance(error, OSError) and error.strerror and error.filename
    return f"{error.strerror}: {error.filename}" if isinstance(error, OSError) and named else _line(error)


def _line(error: object) -> str:
    return " ".join(str(error).split())
