"""Keeps programs running: starts them, starts again what dies, stops them in order."""

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
    """What else the keeper looks after (the engines)."""

    def restart_dead(self) -> tuple[str, ...]: ...


@dataclass
class _Kept:
    program: Program
    process: ChildProcess
    started: float
    delay: float = FIRST_DELAY
    restart_at: float | None = None


class ProcessManager(threading.Thread):
    """A thread that lives as long as its programs: the kernel ends them with the thread that started them."""

    def __init__(self, output: Output, *, stage_seconds: Sequence[float] = (6.0, 1.0)) -> None:
        """`stage_seconds`: how long the programs of each stage may take to stop before they are killed."""
        super().__init__(name="keeper", daemon=True)
        self.output = output
        self.stage_seconds = stage_seconds
        self.engines: Restartable | None = None
        self._errands: queue.Queue[tuple[Callable[[], Any], Future[Any]] | None] = queue.Queue()
        self._kept: dict[str, _Kept] = {}
        self._engines_delay = FIRST_DELAY
        self._engines_at = 0.0

    def do(self, errand: Callable[[], Result]) -> Result:
        """Run something in the keeper's thread and wait for it; its exception is raised here."""
        future: Future[Result] = Future()
        self._errands.put((errand, future))
        return future.result()

    def launch(self, program: Program) -> None:
        self.do(lambda: self._launch(program))

    def pids(self) -> dict[str, int]:
        return {name: kept.process.pid for name, kept in self._kept.items() if kept.process.returncode is None}

    def stop(self, *, then: Callable[[], None] | None = None) -> None:
        """Stop the programs, stage by stage, do the last errand, and end."""
        if self.is_alive():
            self.do(self._stop_all)
            if then is not None:
                self.do(then)
            self._errands.put(None)
            self.join()

    def run(self) -> None:
        while True:
            try:
                order = self._errands.get(timeout=INTERVAL)
            except queue.Empty:
                self._look()
                continue
            if order is None:
                return
            errand, future = order
            try:
                future.set_result(errand())
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
        self._kept[program.name] = _Kept(program, process, started=time.monotonic(), delay=delay)

    def _look(self) -> None:
        now = time.monotonic()
        self._look_after_engines(now)
        for kept in list(self._kept.values()):
            code = kept.process.returncode
            if code is None:
                continue
            if kept.restart_at is None:
                self._plan_restart(kept, code, now)
            elif now >= kept.restart_at:
                self._launch(kept.program, delay=min(kept.delay * 2, LONGEST_DELAY))

    def _plan_restart(self, kept: _Kept, code: int, now: float) -> None:
        if now - kept.started > GOOD_RUN:
            kept.delay = FIRST_DELAY
        kept.restart_at = now + kept.delay
        # Its children would otherwise go on without it, beside those of its successor.
        kept.process.kill()
        self.output.say("newsdesk", f"{kept.program.name} {_ended(code)}; it starts again in {kept.delay:g} s")

    def _look_after_engines(self, now: float) -> None:
        if self.engines is None or now < self._engines_at:
            return
        try:
            restarted = self.engines.restart_dead()
            self._engines_delay = FIRST_DELAY
        except OperationFailedError as error:
            self.output.say("newsdesk", str(error))
            self._engines_delay = min(self._engines_delay * 2, LONGEST_DELAY)
            self._engines_at = now + self._engines_delay
            return
        for name in restarted:
            self.output.say("newsdesk", f"{name} had ended; it runs again")

    def _stop_all(self) -> None:
        self.engines = None
        for stage, seconds in enumerate(self.stage_seconds):
            leaving = [kept for kept in self._kept.values() if kept.program.stage == stage]
            for kept in leaving:
                kept.process.signal(kept.program.stop_signal)
            deadline = time.monotonic() + seconds
            for kept in leaving:
                if not kept.process.wait(deadline - time.monotonic()):
                    self.output.say("newsdesk", f"{kept.program.name} did not stop; it is killed")
                kept.process.kill()
        self._kept = {}
        self.output.finish(0.5)


def _ended(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
