"""The benchmarks that reach into the tables run at all, on next to nothing: what they measure is told in benchmarks/RESULTS.md.

Nobody runs them for weeks while the tables under them change. Those not named here drive Newsdesk from outside, as other tests do.
"""

import subprocess
import sys

import pytest

from tests.command_line import ROOT

#: What each says at its end, if it came that far.
SMALL = {
    "preparation.py --readers 2000 --rounds 1 --zones 3 --cap": "ratio",
    "submission.py --readers 2000 --rounds 1": "ratio of each round",
    "events.py --events 2000 --rounds 1": "2,000 events in",
    "years.py --readers 200 --weeks 4 --rounds 1": "200 readers, 4 weeks",
}


@pytest.mark.parametrize("words", SMALL)
def test_a_benchmark_runs_to_its_end(words: str) -> None:
    script, *options = words.split()
    done = subprocess.run(
        [sys.executable, f"benchmarks/{script}", *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert SMALL[words] in done.stdout
