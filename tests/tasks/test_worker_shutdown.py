"""A worker that was asked to stop ends, whatever its own shutdown does."""

import signal
import subprocess
import sys

from tests.waiting import LONG

_STUCK = """
import threading
from tasks import worker_shutdown
worker_shutdown.end_at_last(0.2)
threading.Event().wait()
"""
_DONE = """
from tasks import worker_shutdown
worker_shutdown.end_at_last(60)
"""


def _ended(program: str) -> int:
    return subprocess.run([sys.executable, "-c", program], check=False, timeout=LONG).returncode


def test_one_whose_shutdown_stands_still_is_killed_at_last() -> None:
    assert _ended(_STUCK) == -signal.SIGKILL


def test_one_that_ends_by_itself_waits_for_nothing() -> None:
    assert _ended(_DONE) == 0
