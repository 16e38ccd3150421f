"""What PostgreSQL and Valkey have in common: start, wait until it answers, stop, start again."""

import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from newsdesk.core.child_process import ChildProcess, spawn
from newsdesk.core.errors import OperationFailedError
from newsdesk.core.file_locks import Lock
from newsdesk.local_stack.engines.site import Site

#: An engine whose parent was killed needs this long at most to write everything down and end.
PREDECESSOR_PATIENCE = 120.0
#: Recovery after a crash reads what was written since the last checkpoint.
START_PATIENCE = 300.0
INTERVAL = 0.02
#: Bytes; a larger log is rotated at the next start.
LARGEST_LOG = 10_000_000


class Engine(ABC):
    """One engine on one data folder."""

    name: str
    title: str
    #: What makes it end by itself, without losing anything.
    stop_signal: signal.Signals

    def __init__(self, site: Site) -> None:
        self.site = site
        self.process: ChildProcess | None = None

    @property
    def folder(self) -> Path:
        return self.site.data / self.name

    @property
    def log(self) -> Path:
        return self.site.logs / f"{self.name}.log"

    @property
    def is_dead(self) -> bool:
        return self.process is None or self.process.returncode is not None

    @abstractmethod
    def prepare(self) -> None:
        """Make the data folder where it is missing."""

    @abstractmethod
    def command(self) -> Sequence[str | Path]: ...

    @abstractmethod
    def answers(self) -> bool:
        """Whether it serves clients now."""

    def start(self) -> None:
        """Start it and wait until it answers. Raises OperationFailedError with the last line of its log."""
        # The engine itself inherits this lock: nobody starts a second one while any part of the first still lives.
        lock = Lock(self.site.data / f"{self.name}.lock")
        if not lock.acquire(PREDECESSOR_PATIENCE):
            raise OperationFailedError(f"{self.title}: an earlier one still uses {self.folder}.")
        try:
            self.prepare()
            if self._log_size() > LARGEST_LOG:
                self.log.replace(self.log.with_suffix(".log.1"))
            log_start = self._log_size()
            self.process = self.spawn(self.command(), pass_fds=[lock.descriptor])
        finally:
            lock.release()
        self._wait_until_it_answers(self.process, log_start)

    def spawn(self, command: Sequence[str | Path], *, pass_fds: Sequence[int] = ()) -> ChildProcess:
        with self.log.open("ab") as log:
            return spawn(
                command,
                death_signal=self.stop_signal,
                ids=self.site.account.ids,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
                cwd=self.site.data,
                output=log,
                pass_fds=pass_fds,
            )

    def ask_to_stop(self) -> None:
        if self.process is not None:
            self.process.signal(self.stop_signal)

    def finish(self, seconds: float) -> None:
        """Wait for the end that was asked for; after so many seconds force it (nothing committed is lost)."""
        if self.process is not None and not self.process.wait(seconds):
            self.process.kill()
        self.process = None

    def failed(self, log_start: int) -> OperationFailedError:
        """The failure to report, with the last line of the log from `log_start` (bytes) on that names a cause."""
        with self.log.open("rb") as log:
            log.seek(log_start)
            lines = log.read().decode("utf-8", "replace").splitlines()
        causes = [line for line in lines if any(mark in line for mark in ("FATAL", "PANIC", "rror", "cannot start"))]
        cause = (causes or lines or ["it printed nothing"])[-1].strip()
        return OperationFailedError(f"{self.title} did not start: {cause} (more in {self.log})")

    def _log_size(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0

    def _wait_until_it_answers(self, process: ChildProcess, log_start: int) -> None:
        deadline = time.monotonic() + START_PATIENCE
        while not self.answers():
            if process.returncode is not None:
                raise self.failed(log_start)
            if time.monotonic() > deadline:
                process.kill()
                raise self.failed(log_start)
            time.sleep(INTERVAL)
