"""Everything the parts of one sandbox share."""

import fcntl
import os
import threading
import time
from pathlib import Path
from typing import IO

from sandbox.faults import FaultScript
from sandbox.ledger import Ledger
from sandbox.options import SandboxOptions
from sandbox.private import private_folder
from sandbox.signing import SigningKey
from sandbox.suppressions import Suppressions


class HomeError(Exception):
    """The home folder cannot be used."""


class State:
    def __init__(self, options: SandboxOptions) -> None:
        """Open a home. Raises HomeError when another sandbox has it, ValueError for a wrong fault."""
        self.options = options
        #: May be replaced at run time, as a whole.
        self.webhooks = options.webhooks
        #: Likewise.
        self.activity = options.activity
        self.faults = FaultScript(seed=options.seed, faults=options.faults)
        self.stopping = threading.Event()
        #: When a request was last accepted (monotonic): background work waits for a lull.
        self.last_accepted = 0.0
        #: Opens the pages; None while only this machine can reach them.
        self.page_key: str | None = None
        self._claim = _claim(options.home)
        self.key = SigningKey.kept_in(options.home)
        self.ledger = Ledger(options.home / "ledger.sqlite3")
        self.suppressions = Suppressions(self.ledger)
        self._credit_lock = threading.Lock()
        self._spent = self.ledger.accepted()
        self._activity_lock = threading.Lock()
        #: When the activity feed was asked, monotonic, within the last minute.
        self._activity_asked: list[float] = []

    def close(self) -> None:
        self.ledger.close()
        self._claim.close()

    def spend(self, recipients: int) -> bool:
        """Take credits for so many recipients; False, and nothing taken, when too few are left."""
        with self._credit_lock:
            if self.options.credits is not None and self._spent + recipients > self.options.credits:
                return False
            self._spent += recipients
            return True

    def may_ask_activity(self) -> bool:
        """Whether the activity feed answers one more question within this minute; one that it does not answer counts nothing."""
        with self._activity_lock:
            now = time.monotonic()
            self._activity_asked = [at for at in self._activity_asked if at > now - 60]
            if self.activity.per_minute and len(self._activity_asked) >= self.activity.per_minute:
                return False
            self._activity_asked.append(now)
            return True

    def idle_seconds(self) -> float:
        """How long nothing has been accepted."""
        return time.monotonic() - self.last_accepted


def _claim(home: Path) -> IO[bytes]:
    """The lock of a home; the kernel frees it when its process ends, however it ends."""
    try:
        private_folder(home)
        lock = (home / "lock").open("wb")
    except OSError as error:
        raise HomeError(f"{home}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise HomeError(f"{home}: another sandbox uses this home") from error
    os.set_inheritable(lock.fileno(), False)
    return lock
