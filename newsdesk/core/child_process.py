"""Start a program that ends when its parent ends, however the parent ends.

`spawn` runs this file as a small script that gives up root where asked, asks to end with its parent and becomes the
program. It needs no code between fork and exec, so it is safe in a process with threads.

On Linux the kernel sends the signal (PR_SET_PDEATHSIG, prctl(2)); elsewhere the script stays as a watchdog that waits for the end of
a pipe which only the parent keeps open.

The kernel watches the *thread* that called `spawn`: call it from one that lives as long as the program should.
"""

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NoReturn

PR_SET_PDEATHSIG = 1
WATCH_INTERVAL = 0.1
FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)


def die_with_parent(number: int, *, parent: int | None = None) -> None:
    """Ask the kernel for this signal when the parent ends; does nothing where the kernel is not Linux.

    `parent` is the process expected to be the parent: should it be gone already, this process ends at once.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os._exit(128 + number)


@dataclass
class ChildProcess:
    """A running program. Signals go to its whole process group when it is killed, else to the program alone."""

    process: subprocess.Popen[bytes]
    #: The watchdog's pipe: closed by the end of this process, or of this object.
    lifeline: int | None = field(default=None, repr=False)

    @property
    def pid(self) -> int:
        """Of the program; of its watchdog, where there is one."""
        return self.process.pid

    @property
    def returncode(self) -> int | None:
        """As in `subprocess.Popen`; None while it runs."""
        return self.process.poll()

    def signal(self, number: int) -> None:
        """Send it this signal, if it still runs."""
        if self.returncode is None:
            self.process.send_signal(number)

    def wait(self, seconds: float) -> bool:
        """Whether it ended within so many seconds."""
        try:
            self.process.wait(timeout=max(seconds, 0))
        except subprocess.TimeoutExpired:
            return False
        self._release()
        return True

    def kill(self) -> None:
        """End the program and everything it started that stayed in its process group."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self.process.kill()
        self.process.wait()
        self._release()

    def _release(self) -> None:
        if self.lifeline is not None:
            os.close(self.lifeline)
            self.lifeline = None


def spawn(
    command: Sequence[str | Path],
    *,
    death_signal: int = signal.SIGTERM,
    ids: tuple[int, int] | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    output: int | IO[bytes] | None = None,
    pass_fds: Sequence[int] = (),
    watchdog: bool = sys.platform != "linux",
) -> ChildProcess:
    """Start a program in its own process group, with standard output and error in `output`.

    `ids` are the user and group to become, when root. Raises OSError when Python itself cannot be started; a program
    that cannot be started ends with 127 and a line in its output.
    """
    reading, lifeline = os.pipe() if watchdog else (None, None)
    order = {
        "command": [str(part) for part in command],
        "parent": os.getpid(),
        "signal": int(death_signal),
        "ids": ids,
        "cwd": str(cwd) if cwd else None,
        "lifeline": reading,
    }
    try:
        process = subprocess.Popen(  # noqa: S603 - this file, by this Python
            [sys.executable, "-I", "-S", __file__, json.dumps(order)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output is not None else None,
            env=dict(env) if env is not None else None,
            pass_fds=[*pass_fds, *([reading] if reading is not None else [])],
            start_new_session=True,
        )
    finally:
        if reading is not None:
            os.close(reading)
    return ChildProcess(process, lifeline)


def _become(order: dict[str, Any]) -> NoReturn:
    if order["cwd"]:
        os.chdir(order["cwd"])
    if order["ids"]:
        user, group = order["ids"]
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
        os.umask(0o077)
    # Changing the user clears the parent-death signal, so it comes after.
    die_with_parent(order["signal"], parent=order["parent"] if order["lifeline"] is None else None)
    try:
        os.execvp(order["command"][0], order["command"])  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.stderr.write(f"cannot start {order['command'][0]}: {error.strerror}\n")
        sys.stderr.flush()
        os._exit(127)


def _watch(order: dict[str, Any]) -> NoReturn:
    """Stay as the program's parent: forward signals to it, end it when the lifeline closes, end as it ends."""
    lifeline = order["lifeline"]
    child = os.fork()
    if child == 0:
        os.close(lifeline)
        _become({**order, "parent": os.getppid()})
    for number in FORWARDED:
        signal.signal(number, lambda received, _frame: os.kill(child, received))
    watched = [lifeline]
    while True:
        if watched and select.select(watched, [], [], WATCH_INTERVAL)[0]:
            watched = []
            os.kill(child, order["signal"])
        elif not watched:
            select.select([], [], [], WATCH_INTERVAL)
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def main() -> NoReturn:
    """What the script does: read its order from the command line, and become the program or its watchdog."""
    order = json.loads(sys.argv[1])
    if order["lifeline"] is None:
        _become(order)
    _watch(order)


if __name__ == "__main__":
    main()
