"""What git runs before a commit is what `make lint` runs, and nothing else."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def hooks() -> list[dict[str, Any]]:
    settings = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert {repository["repo"] for repository in settings["repos"]} == {"local"}, "a hook is fetched from elsewhere"
    return [hook for repository in settings["repos"] for hook in repository["hooks"]]


def test_the_commands_are_those_of_make_lint(hooks: list[dict[str, Any]]) -> None:
    rules = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert rules
    commands = [line.strip().replace("$(BIN)", ".venv/bin") for line in rules[1].splitlines()]

    assert [hook["entry"] for hook in hooks] == commands
    assert {(hook["language"], hook["pass_filenames"]) for hook in hooks} == {("system", False)}


def test_pre_commit_takes_the_settings() -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-config", ROOT / ".pre-commit-config.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")
