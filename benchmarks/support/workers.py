"""Real Celery workers of a home, with the options that `newsdesk up` gives them."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from newsdesk.core.home import Home

_PATIENCE = 60.0


@contextmanager
def running(home: "Home") -> Iterator[int]:
    """A worker with its children in this process' environment; yields its main process once it answers.

    Its log is HOME/logs/worker.log; `newsdesk up` has its programs log INFO, and so does this.
    """
    from newsdesk.core.child_process import spawn
    from newsdesk.local_stack import programs

    program = programs.worker(home)
    home.logs.mkdir(exist_ok=True)
    with (home.logs / "worker.log").open("ab") as log:
        env = {"NEWSDESK_LOG_LEVEL": "INFO", **os.environ, "PYTHONUNBUFFERED": "1", **program.env}
        process = spawn(program.command, death_signal=signal.SIGKILL, env=env, output=log)
    try:
        _wait_until_it_answers()
        yield process.pid
    finally:
        process.signal(program.stop_signal)
        if not process.wait(10):
            process.kill()


def _wait_until_it_answers() -> None:
    from tasks.celery import app

    deadline = time.monotonic() + _PATIENCE
    while not app.control.ping(timeout=0.5):
        assert time.monotonic() < deadline, "the worker does not start"
