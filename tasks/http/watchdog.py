"""One thread that ends whatever outlives its deadline, instead of a thread for each request."""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from itertools import count


class Watchdog:
    """Calls what is due. Its thread begins with the first entry and is a daemon; a fork begins anew."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[int, tuple[float, Callable[[], object]]] = {}
        self._numbers = count(1)
        self._wakes_at = float("inf")
        self._pid = 0

    def call_in(self, seconds: float, function: Callable[[], object]) -> int:
        """Call it in so many seconds, unless `forget` comes first; the number to forget it by."""
        moment = time.monotonic() + seconds
        with self._changed:
            self._start()
            number = next(self._numbers)
            self._due[number] = (moment, function)
            if moment < self._wakes_at:
                self._changed.notify()
        return number

    def forget(self, number: int) -> None:
        with self._changed:
            self._due.pop(number, None)

    def _start(self) -> None:
        if self._pid == os.getpid():
            return
        self._pid = os.getpid()
        self._due.clear()
        self._wakes_at = float("inf")
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def _watch(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for number in [number for number, (moment, _) in self._due.items() if moment <= now]:
                    # They shut sockets down: nothing that blocks. Whatever they raise, the others are still watched.
                    with contextlib.suppress(Exception):
                        self._due.pop(number)[1]()
                self._wakes_at = min((moment for moment, _ in self._due.values()), default=float("inf"))
                self._changed.wait(max(self._wakes_at - time.monotonic(), 0.0) if self._due else None)


watchdog = Watchdog()


def _renew_after_fork() -> None:
    # A thread of the parent may have held the lock.
    watchdog.__init__()  # type: ignore[misc]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_after_fork)
