"""Commands as the tests call them."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command

from newsdesk import cli
from newsdesk.core.errors import InputError


def run(command: str, *words: str) -> str:
    out = io.StringIO()
    call_command(command, *words, stdout=out)
    return out.getvalue()


def run_json(command: str, *words: str) -> Any:
    return json.loads(run(command, *words, "--json"))


def imported(*words: str) -> tuple[int, Any]:
    """How it ended, and its report."""
    out, code = io.StringIO(), 0
    try:
        call_command(*words, stdout=out)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, json.loads(out.getvalue()) if "--json" in words else out.getvalue()


def refusal(command: str, *words: str) -> str:
    """What the command line says; always bad input."""
    with pytest.raises(InputError) as refused:
        run(command, *words)
    line, code = cli.explain(refused.value)
    assert code == 2
    return line
