"""Until when the first byte of a request's body may leave: asked at the last instant, after name, connection and handshake.

A worker that was suspended while it connected must not wake up and post what others have sent meanwhile.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

#: Goes on while the machine sleeps, where the system has such a clock.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_of_this_thread = threading.local()


class TooLateError(OSError):
    """It is too late to begin: nothing of the body has left this machine."""


def now() -> float:
    """Seconds of a clock that neither steps nor sleeps."""
    return time.clock_gettime(_CLOCK)


@contextmanager
def not_after(moment: float) -> Iterator[None]:
    """Within it, requests of this thread whose body would begin after `moment` (as of `now`) fail instead."""
    _of_this_thread.latest = moment
    try:
        yield
    finally:
        _of_this_thread.latest = None


def check() -> None:
    """To be called just before the first byte of a body. Raises TooLateError."""
    latest = getattr(_of_this_thread, "latest", None)
    if latest is not None and now() > latest:
        raise TooLateError("The worker was suspended, or the connection took too long, between fence and POST.")
