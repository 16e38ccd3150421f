"""What is read out of the runs' log, and times that were stepped."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.accounts import true_time
from tests.chaos.report import read, table
from tests.chaos.result import Result


def _run(seed: int, **changes: Any) -> Result:
    fields: dict[str, Any] = {
        "seed": seed,
        "plan": {"words": ["rate-limit"]},
        "seconds": 10.0 + seed,
        "verdict": {"duplicates": 0, "lost": 0, "between": 0, "faults": []},
        "struck": {"rate-limit": 2},
        "done": [(0.5, "kill worker"), (1.0, "step clock forward +3600 s"), (1.5, "3 unsubscribe")],
        "accepted": 1200,
        "attempts": {"accepted": 16, "refused": 2},
        "sends": [{"send": 1}],
        "home": "/tmp/kept",
    }
    return Result(**{**fields, **changes})


FAILED = _run(3, verdict={"duplicates": 1, "lost": 2, "between": 0, "faults": ["1 (b@x) got it twice"]}, struck={})


def test_the_table_tells_sums_and_failures(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("".join(run.as_json() + "\n" for run in (_run(1), _run(2), FAILED)) + '{"cut', encoding="utf-8")
    told = table(read([str(log)]))
    for row in (
        "| runs | 3 |",
        "| failed | 1 |",
        "| readers mailed twice | 1 |",
        "| readers lost | 2 |",
        "| messages accepted | 3600 |",
        "| seconds of a run: median, longest | 12, 13 |",
        "| rate-limit | 4 | 2 |",
        "| kill worker | 3 | 3 |",
        "| step clock forward | 3 | 3 |",
        "| unsubscribe | 3 | 3 |",
        "| seed 3 | 1 (b@x) got it twice (/tmp/kept) |",
    ):
        assert row in told
    again = subprocess.run(
        [sys.executable, "-m", "tests.chaos.report", str(log)], capture_output=True, text=True, check=True
    )
    assert again.stdout == told + "\n"


def test_no_runs_are_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert table(read([str(tmp_path / "empty")])) == "no runs"


def test_a_runs_line_names_its_seed_what_happened_and_why_it_failed() -> None:
    assert _run(1).line().startswith("seed 1: planned rate-limit | struck rate-limit x2 | kill worker, ")
    assert _run(1).line().endswith("| 11.0 s | ok")
    assert FAILED.line().endswith("FAILED: 1 (b@x) got it twice; home kept: /tmp/kept")
    assert json.loads(FAILED.as_json())["seed"] == 3


@pytest.mark.parametrize(
    ("stored", "true"),
    [
        (10.0 - 3600, 10.0),  # written before the step
        (60.0, 60.0),  # after it
    ],
)
def test_a_time_before_a_step_is_told_as_it_was(stored: float, true: float) -> None:
    assert true_time(stored, [(50.0, 3600)], began=0.0, ended=100.0) == true


@pytest.mark.parametrize(
    ("stored", "true"),
    [
        (10.0, 10.0),  # there and back
        (55.0 - 3600, 55.0),  # in between: written by the wrong clock, then moved with all others
        (70.0, 70.0),
    ],
)
def test_a_time_around_two_steps_is_told_as_it_was(stored: float, true: float) -> None:
    # In between, the clock is 3600 s slow; what is written then is moved forward by nothing but the second step.
    steps = [(50.0, -3600), (60.0, 3600)]
    assert true_time(stored, steps, began=0.0, ended=100.0) == true
