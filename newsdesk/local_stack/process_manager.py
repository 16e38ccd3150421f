"""The process manager: starts programs, starts again what dies, stops them in order."""

import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from newsdesk.core.child_process import ChildProcess, spawn
from newsdesk.core.errors import OperationFailedError
from newsdesk.local_stack.output import Output

INTERVAL = 0.1
FIRST_DELAY = 0.2
LONGEST_DELAY = 10.0
#: A program that ran this long had started well: the next restart is as quick as the first.
GOOD_RUN = 10.0

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Program:
    name: str
    command: tuple[str | Path, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    #: Descriptors it inherits.
    pass_fds: tuple[int, ...] = ()
    stop_signal: int = signal.SIGTERM
    #: Programs of an earlier stage are stopped first.
    stage: int = 0


class Restartable(Protocol):
    """What else the process manager looks after (the engines)."""

    def restart_dead(self) -> tuple[str, ...]: ...


@dataclass
class _Supervised:
    program: Program
    process: ChildProcess
    started: float
    delay: float = FIRST_DELAY
    restart_at: float | None = None


class ProcessManager(threading.Thread):
    """A thread that lives as long as its programs: the kernel ends them with the thread that started them."""

    def __init__(self, output: Output, *, stage_seconds: Sequence[float] = (6.0, 1.0)) -> None:
        """`stage_seconds`: how long the programs of each stage may take to stop before they are killed."""
        super().__init__(name="process manager", daemon=True)
        self.output = output
        self.stage_seconds = stage_seconds
        self.engines: Restartable | None = None
        self._calls: queue.Queue[tuple[Callable[[], Any], Future[Any]] | None] = queue.Queue()
        self._supervised: dict[str, _Supervised] = {}
        self._engines_delay = FIRST_DELAY
        self._engines_at = 0.0

    def do(self, call: Callable[[], Result]) -> Result:
        """Run the call in the process manager's thread and wait for it; its exception is raised here."""
        future: Future[Result] = Future()
        self._calls.put((call, future))
        return future.result()

    def launch(self, program: Program) -> None:
        """Start the program and keep it running. Raises OSError when it cannot be started."""
        self.do(lambda: self._launch(program))

    def pids(self) -> dict[str, int]:
        """Of the programs that run now, by name."""
        return {
            name: supervised.process.pid
            for name, supervised in self._supervised.items()
            if supervised.process.returncode is None
        }

    def stop(self, *, then: Callable[[], None] | None = None) -> None:
        """Stop the programs, stage by stage, make the last call, and end."""
        if self.is_alive():
            self.do(self._stop_all)
            if then is not None:
                self.do(then)
            self._calls.put(None)
            self.join()

    def run(self) -> None:
        while True:
            try:
                item = self._calls.get(timeout=INTERVAL)
            except queue.Empty:
                self._check_programs()
                continue
            if item is None:
                return
            call, future = item
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 - whoever asked gets it
                future.set_exception(error)

    def _launch(self, program: Program, *, delay: float = FIRST_DELAY) -> None:
        writing = self.output.open(program.name)
        try:
            process = spawn(
                program.command,
                death_signal=signal.SIGKILL,
                env={"NEWSDESK_LOG_LEVEL": "INFO", **os.environ, "PYTHONUNBUFFERED": "1", **program.env},
                output=writing,
                pass_fds=program.pass_fds,
            )
        finally:
            os.close(writing)
        self._supervised[program.name] = _Supervised(program, process, started=time.monotonic(), delay=delay)

    def _check_programs(self) -> None:
        now = time.monotonic()
        self._check_engines(now)
        for supervised in list(self._supervised.values()):
            code = supervised.process.returncode
            if code is None:
                continue
            if supervised.restart_at is None:
                self._plan_restart(supervised, code, now)
            elif now >= supervised.restart_at:
                self._restart(supervised, now)

    def _restart(self, supervised: _Supervised, now: float) -> None:
        delay = min(supervised.delay * 2, LONGEST_DELAY)
        try:
            self._launch(supervised.program, delay=delay)
        except OSError as error:
            self.output.say("newsdesk", f"{supervised.program.name} does not start: {error}; again in {delay:g} s")
            supervised.delay, supervised.restart_at = delay, now + delay

    def _plan_restart(self, supervised: _Supervised, code: int, now: float) -> None:
        if now - supervised.started > GOOD_RUN:
            supervised.delay = FIRST_DELAY
        supervised.restart_at = now + supervised.delay
        # Its children would otherwise go on without it, beside those of its successor.
        supervised.process.kill()
        self.output.say(
            "newsdesk", f"{supervised.program.name} {_ended(code)}; it starts again in {supervised.delay:g} s"
        )

    def _check_engines(self, now: float) -> None:
        if self.engines is None or now < self._engines_at:
            return
        try:
            restarted = self.engines.restart_dead()
            self._engines_delay = FIRST_DELAY
        except (OperationFailedError, OSError) as error:
            # A full disk has no room for what a start writes. It must not end this thread, and all programs with it.
            self.output.say("newsdesk", str(error))
            self._engines_delay = min(self._engines_delay * 2, LONGEST_DELAY)
            self._engines_at = now + self._engines_delay
            return
        for name in restarted:
            self.output.say("newsdesk", f"{name} had ended; it runs again")

    def _stop_all(self) -> None:
        self.engines = None
        for stage, seconds in enumerate(self.stage_seconds):
            stopping = [supervised for supervised in self._supervised.values() if supervised.program.stage == stage]
            for supervised in stopping:
                supervised.process.signal(supervised.program.stop_signal)
            deadline = time.monotonic() + seconds
            for supervised in stopping:
                if not supervised.process.wait(deadline - time.monotonic()):
                    self.output.say("newsdesk", f"{supervised.program.name} did not stop; it is killed")
                supervised.process.kill()
        self._supervised = {}
        self.output.finish(0.5)


def _ended(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
