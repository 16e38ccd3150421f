"""Locks on files: held by an open file, so that the end of its holders, however it comes, frees them."""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_BEFORE_WORD = 2.0
INTERVAL = 0.05


class Lock:
    """An exclusive lock on a file. Keep the object for as long as the lock is needed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def descriptor(self) -> int:
        """The open file: pass it to a child and the lock is held until both have closed it."""
        assert self._descriptor is not None
        return self._descriptor

    def try_acquire(self) -> bool:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def acquire(self, seconds: float, *, on_wait: Callable[[], None] | None = None) -> bool:
        """Wait for it at most so many seconds; `on_wait` is called once when it takes longer than a moment."""
        start = time.monotonic()
        has_called = False
        while not self.try_acquire():
            waited = time.monotonic() - start
            if waited >= seconds:
                return False
            if on_wait is not None and not has_called and waited >= PATIENCE_BEFORE_WORD:
                on_wait()
                has_called = True
            time.sleep(INTERVAL)
        return True

    def note(self, text: str) -> None:
        """Leave a word for those who find the lock taken."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, text.encode(), 0)

    def release(self) -> None:
        """Close our handle. A child that inherited it keeps the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock now. Two who ask at once do not see each other."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def note(path: Path) -> str:
    """The word that the last holder of this lock left; "" when none did."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
