"""Commands of one home, run one after the other in one process: starting each anew takes most of a test's time.

How a command starts and ends by itself is shown by `tests/acceptance/test_up.py` and `tests/newsdesk`.
"""

import io
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

#: What commands in the documentation are typed in.
ROOT = Path(__file__).parent.parent


class Said(NamedTuple):
    """What a command ended with and what it wrote."""

    code: int
    output: str
    errors: str


class CommandLine:
    """The process, started with the first command; it ends with `close`, or with whoever started it."""

    def __init__(self, environment: Mapping[str, str], *, before: Sequence[str] = ()) -> None:
        """`before`: words that run what follows them elsewhere (`tests.hosts.Host.words`)."""
        self._environment = dict(environment)
        self._before = list(before)
        self._process: subprocess.Popen[str] | None = None

    def run(self, *words: str) -> Said:
        if self._process is None:
            self._process = subprocess.Popen(
                [*self._before, sys.executable, "-m", "tests.command_line"],
                env=self._environment,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        return Said(*json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        if self._process is not None:
            self._process.communicate()
            self._process = None


def main() -> None:
    from newsdesk import cli

    answers = sys.stdout
    for line in sys.stdin:
        output, errors = io.StringIO(), io.StringIO()
        with redirect_stdout(output), redirect_stderr(errors):
            code = cli.main(json.loads(line))
        answers.write(json.dumps([code, output.getvalue(), errors.getvalue()]) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
