"""Hanging up on a server that takes too long, again and again: the first time there may be no connection yet to be ended."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tasks.http.watchdog import watchdog

#: Seconds from one try to the next.
AGAIN_SECONDS = 0.2


@contextmanager
def hung_up_after(seconds: float, hang_up: Callable[[], object]) -> Iterator[None]:
    """Within it, `hang_up` is called once so many seconds are over, and from then on until it is left. It must not block."""
    entries: list[int] = []
    is_over = False

    def try_to() -> None:
        if not is_over:
            hang_up()
            entries[:] = [watchdog.call_in(AGAIN_SECONDS, try_to)]

    entries.append(watchdog.call_in(max(seconds, 0.0), try_to))
    try:
        yield
    finally:
        is_over = True
        for entry in entries:
            watchdog.forget(entry)
