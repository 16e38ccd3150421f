"""Threads share the allocator's arenas, so that a burst on all of them does not stay resident."""

import platform
import subprocess
import sys

import pytest

_ARENAS = """
import ctypes, sys, threading
from newsdesk.core.malloc import limit_arenas
if len(sys.argv) > 1:
    limit_arenas(int(sys.argv[1]))
together = threading.Barrier(8)
def allocate():
    together.wait()
    kept = [bytes(100_000) for _ in range(10)]
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
ctypes.CDLL(None).malloc_stats()
"""


def arenas(*words: str) -> int:
    done = subprocess.run([sys.executable, "-c", _ARENAS, *words], capture_output=True, text=True, check=True)
    return sum(line.startswith("Arena ") for line in done.stderr.splitlines())


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has arenas")
def test_threads_share_as_many_arenas_as_they_are_given() -> None:
    assert arenas() > 2
    assert arenas("2") == 2
