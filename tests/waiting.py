"""Waiting for facts. A test never guesses how long something takes: it waits until it is so, and fails after LONG.

LONG is reached in failure only, so it costs nothing on any machine; ten times what a slow one needs is right.
"""

import time
from collections.abc import Callable

#: Seconds.
LONG = 120.0


def eventually(condition: Callable[[], object], seconds: float = LONG, *, interval: float = 0.02) -> bool:
    """Whether the condition held within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(interval)
    return True


class FakeClock:
    """Stands in for the module `time` of the code under test: it goes on when somebody sleeps or says so.

    `clock_gettime` takes every clock for this one.
    """

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def clock_gettime(self, clock: int) -> float:
        del clock
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
