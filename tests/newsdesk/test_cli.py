import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError
from django.db import OperationalError, ProgrammingError
from kombu.exceptions import OperationalError as BrokerError

from newsdesk import __version__, cli
from newsdesk.core.environment import EnvironmentVariableError
from newsdesk.core.errors import InputError, OperationFailedError
from newsdesk.management.base import NewsdeskCommand

pytestmark = pytest.mark.integration

#: A home of no importance; the folder goes with the other leftovers of tests.
ELSEWHERE = tempfile.mkdtemp(prefix="newsdesk-tests-")


class Answer(NewsdeskCommand):
    help = "Answers."

    def handle(self, *args: Any, **options: Any) -> None:
        print("a remark")
        self.stdout.write("another")
        self.report({"answer": 42, "café": None}, "The answer is 42.")


def run(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "newsdesk", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NEWSDESK_HOME": ELSEWHERE, "SECRET_KEY": "k" * 40, **environment},
    )


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        (InputError("row 3: no\naddress"), "row 3: no address", 2),
        (EnvironmentVariableError("BASE_URL: wrong"), "BASE_URL: wrong", 2),
        (CommandError("Error: no such app"), "no such app", 2),
        (OperationFailedError("it went wrong"), "it went wrong", 1),
        (OperationalError("connection refused"), "the database: connection refused", 1),
        (ProgrammingError('relation "x" does not exist'), 'newsdesk migrate): relation "x" does not exist', 1),
        (BrokerError("no route"), "the broker: no route", 1),
        (FileNotFoundError(2, "No such file", "a.csv"), "No such file: a.csv", 1),
        (KeyError("x"), "unexpected KeyError: 'x' (--traceback shows where)", 1),
    ],
)
def test_every_error_is_one_line_with_its_exit_code(error: Exception, line: str, code: int) -> None:
    said, given = cli.explain(error)
    assert said.endswith(line)
    assert "\n" not in said
    assert given == code


def test_a_wrong_name_gets_a_guess(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["migrat"]) == 2
    assert capsys.readouterr() == ("", "newsdesk: there is no command migrat; did you mean migrate?\n")
    assert cli.main(["qqqq"]) == 2
    assert capsys.readouterr().err == "newsdesk: there is no command qqqq; newsdesk help lists them.\n"


def test_wrong_words_are_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["up", "--port", "many"]) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors == "newsdesk: up: argument --port: invalid int value: 'many' (newsdesk up --help tells more)\n"


def test_the_overview_begins_with_ours(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["help"], ["--help"]):
        assert cli.main(words) == 0
        output = capsys.readouterr().out
        ours, others = output.split("From Django and Wagtail:")
        assert "  up" in ours
        assert "Run everything on this machine" in ours
        assert "migrate" in others
        assert "migrate" not in ours


def test_the_version_is_ours(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"newsdesk {__version__}\n"


def test_help_of_a_command_is_quick_and_needs_nothing() -> None:
    answer = run("up", "--help", DATABASE_URL="nonsense")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith("usage: newsdesk up [-h] [--port N]")
    assert "--settings" not in answer.stdout
    # Quick, because it loads none of what takes the seconds.
    script = (
        "import sys\n"
        "from newsdesk import cli\n"
        "assert cli.main(['up', '--help']) == 0\n"
        "slow = {'wagtail', 'celery', 'psycopg', 'sendgrid', 'mjml', 'django.db.models'} & sys.modules.keys()\n"
        "assert not slow, slow\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize(
    ("environment", "code", "said"),
    [
        ({"DATABASE_URL": "mysql://u:hush@h/d"}, 2, "newsdesk: DATABASE_URL: "),
        (
            {"DATABASE_URL": "postgresql://u@127.0.0.1:1/d", "REDIS_URL": "redis://127.0.0.1:1/0"},
            1,
            "newsdesk: the database: ",
        ),
    ],
)
def test_what_is_wrong_around_a_command_is_one_line(environment: dict[str, str], code: int, said: str) -> None:
    answer = run("showmigrations", **environment)
    assert answer.returncode == code
    assert answer.stdout == ""
    assert answer.stderr.startswith(said)
    assert answer.stderr.count("\n") == 1
    assert "hush" not in answer.stderr


def test_a_reader_who_leaves_is_no_error() -> None:
    command = [sys.executable, "-m", "newsdesk", "help"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_json_is_the_only_thing_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    command = Answer()
    parser = command.create_parser("newsdesk", "answer")
    command.execute(**vars(parser.parse_args(["--json"])))
    output, errors = capsys.readouterr()
    assert json.loads(output) == {"answer": 42, "café": None}
    assert output.count("\n") == 1
    assert errors == "a remark\nanother\n"


def test_without_json_the_text_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    command = Answer()
    command.execute(**vars(command.create_parser("newsdesk", "answer").parse_args([])))
    assert capsys.readouterr() == ("a remark\nanother\nThe answer is 42.\n", "")


def test_every_command_of_ours_has_a_line_of_help_and_loads_without_django() -> None:
    script = (
        "import sys\n"
        "from newsdesk.management import directory\n"
        "for name in directory.ours():\n"
        "    command = directory.load(name)\n"
        "    assert command is not None and command.help, name\n"
        "assert 'wagtail.models' not in sys.modules\n"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "newsdesk.settings"}
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2], env=environment)
