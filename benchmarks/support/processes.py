"""What processes are there below another one, and how much memory each has ever held."""

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path


def peak(pid: int) -> int:
    """The most kilobytes of resident memory since the program was started (VmHWM, Linux); 0 when it is gone or hidden."""
    return _kilobytes(pid, "VmHWM:")


def resident(pid: int) -> int:
    """Kilobytes of resident memory now (VmRSS, Linux); 0 when it is gone or hidden."""
    return _kilobytes(pid, "VmRSS:")


def _kilobytes(pid: int, name: str) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    values = [line.split()[1] for line in status.splitlines() if line.startswith(name)]
    return int(values[0]) if values else 0


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def children(pid: int) -> list[int]:
    """Of any of its threads."""
    pids: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            pids += [int(word) for word in task.read_text(encoding="ascii").split()]
        except OSError:
            continue
    return sorted(pids)


def descendants(pid: int) -> list[int]:
    pids = children(pid)
    for child in list(pids):
        pids += descendants(child)
    return pids


def run_watched(words: Sequence[str]) -> tuple[float, int, str]:
    """Run a program: the seconds it took, its peak memory in kilobytes, what it printed. Raises when it fails.

    Memory is looked up while it runs: what wait4 tells includes the parent's own, from before the program was started.
    """
    began = time.perf_counter()
    most = 0
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        while process.poll() is None:
            most = max(most, peak(process.pid))
            time.sleep(0.02)
        seconds = time.perf_counter() - began
        assert process.stdout is not None
        printed = process.stdout.read()
    assert process.returncode == 0, words
    return seconds, most, printed


_TICK = os.sysconf("SC_CLK_TCK")
#: The name of a process in a table, by what stands in its command line. A child has its parent's, but for PostgreSQL's.
_KINDS = {
    "tasks.celery worker": "worker",
    "tasks.celery beat": "beat",
    "gunicorn": "web",
    "-m sandbox": "sandbox",
    "valkey": "valkey",
    "postgres": "postgres",
}


def kind(pid: int) -> str:
    words = command(pid)
    return next((name for mark, name in _KINDS.items() if mark in words), "other")


def processor_seconds(pid: int) -> dict[str, float]:
    """Seconds of the processor that each kind of process below this one has used, its own and the kernel's for it.

    Of a process that has ended, its parent knows once it has waited for it.
    """
    seconds: dict[str, float] = {}
    for descendant in descendants(pid):
        try:
            fields = Path(f"/proc/{descendant}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        name = kind(descendant)
        seconds[name] = seconds.get(name, 0.0) + sum(int(field) for field in fields[11:15]) / _TICK
    return seconds
