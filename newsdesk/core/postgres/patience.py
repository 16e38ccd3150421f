"""How long a thread has for all that it asks of the database.

A server that is stopped or cut off sends nothing, not even an error: a timeout of the server's own cannot end the wait.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import local

_of_thread = local()
#: Seconds for each single wait where nobody has set a limit; None = as long as it takes. The web sets it.
_otherwise: float | None = None


def otherwise(seconds: float | None) -> None:
    """From now on a single wait of this process ends after so many seconds, outside of `at_most` too."""
    global _otherwise  # noqa: PLW0603 - one for the process
    _otherwise = seconds


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Inside it, this thread waits for the database for so many seconds in all, then gets an OperationalError.

    The connection is closed with it, since nobody knows what became of the statement.
    """
    before = getattr(_of_thread, "deadline", None)
    _of_thread.deadline = time.monotonic() + seconds
    try:
        yield
    finally:
        _of_thread.deadline = before


def remaining() -> float | None:
    """Seconds that this thread still has, at least 0; what `otherwise` was told where there is no limit."""
    deadline: float | None = getattr(_of_thread, "deadline", None)
    return _otherwise if deadline is None else max(deadline - time.monotonic(), 0.0)
