"""The identity of a process, by which it can be proven dead on its own machine: a claim is kept under it.

A process is named by the machine's boot, its pid namespace, its pid and its start time; a pid alone is used again.
Whoever shares the boot and the namespace can see in /proc that it is gone: a dead process cannot POST, so its claim
need not be waited for. Elsewhere (another machine, another container, macOS) nothing is known of it.
"""

import os
from functools import lru_cache
from pathlib import Path

_PROC = Path("/proc")


@lru_cache(maxsize=1)
def _machine() -> str:
    """Boot id, pid namespace and user; empty without /proc. /proc may hide other users' processes."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{(_PROC / 'self/ns/pid').readlink()}/{os.getuid()}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Start time of a process in clock ticks since boot (proc(5), field 22); empty when there is no such process.

    Raises OSError when it cannot be read.
    """
    try:
        after_name = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    zombie = after_name[0] in {"Z", "X"}
    return "" if zombie else after_name[19]


def current_process() -> str:
    """A name for this process, for `Batch.claimed_by`; empty where it could not be checked later."""
    machine, pid = _machine(), os.getpid()
    return f"{machine}/{pid}/{_started(pid)}" if machine else ""


def is_dead(process: str) -> bool:
    """True only when the process that `current_process` named surely no longer runs. Never raises."""
    machine, _, started = process.rpartition("/")
    machine, _, pid = machine.rpartition("/")
    if not machine or machine != _machine() or not pid.isdecimal():
        return False
    try:
        return _started(int(pid)) != started
    except OSError:
        return False
