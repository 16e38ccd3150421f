"""A run for the public starts only with settings that `check --deploy` finds nothing wrong with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

PUBLIC = "https://news.example.com"
WSGI = (sys.executable, "-c", "import newsdesk.wsgi")


def run(home: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "PYTHONPATH"}}
    return subprocess.run(
        command, env={**clean, "NEWSDESK_HOME": str(home), **environment}, capture_output=True, text=True, check=False
    )


def test_the_deployment_check_is_clean(tmp_path: Path) -> None:
    # With databases of others nothing is started for it.
    away = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
    checked = run(tmp_path, sys.executable, "-m", "newsdesk", "check", "--deploy", BASE_URL=PUBLIC, **away)

    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout + checked.stderr


@pytest.mark.parametrize("command", [WSGI, (sys.executable, "-m", "newsdesk", "up")])
def test_a_public_run_with_unsafe_settings_does_not_start(tmp_path: Path, command: tuple[str, ...]) -> None:
    weak = {"SECRET_KEY": "abab" * 10}

    refused = run(tmp_path, *command, BASE_URL=PUBLIC, **weak)

    assert refused.returncode == 1
    last = refused.stderr.strip().splitlines()[-1]
    assert f"Not started at {PUBLIC}, since its settings are unsafe" in last
    assert "SECRET_KEY" in last


def test_the_same_key_is_taken_on_this_machine(tmp_path: Path) -> None:
    assert run(tmp_path, *WSGI, SECRET_KEY="abab" * 10).returncode == 0


def test_a_public_run_with_safe_settings_starts(tmp_path: Path) -> None:
    assert run(tmp_path, *WSGI, BASE_URL=PUBLIC).returncode == 0
