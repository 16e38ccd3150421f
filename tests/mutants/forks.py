"""What a fork of this process says about what it does, and an end of it when it hangs."""

import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import IO, Any

#: Takes what JSON can carry; the first of it names what is under way.
Say = Callable[..., None]


def said_by_fork(run: Callable[[Say], None], first: float, patience: Callable[[str], float]) -> Iterator[list[Any]]:
    """Each list that `run` says there. Raises TimeoutError after `first` seconds without a word, later `patience(the last's first)`."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _as_child(run, os.fdopen(writing, "w", encoding="utf-8"))
    os.close(writing)
    limit = first
    try:
        with os.fdopen(reading, "rb", buffering=0) as pipe:
            rest = b""
            while select.select([pipe], [], [], limit)[0]:
                if not (more := pipe.read(1 << 20)):
                    return
                *lines, rest = (rest + more).split(b"\n")
                for line in lines:
                    if (said := json.loads(line)) is None:
                        return
                    limit = patience(said[0])
                    yield said
            raise TimeoutError
    finally:
        # It leads a group of its own: what it started goes with it.
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _as_child(run: Callable[[Say], None], pipe: IO[str]) -> None:
    os.setpgid(0, 0)
    status = 1
    try:

        def say(*what: Any) -> None:
            pipe.write(json.dumps(what) + "\n")
            pipe.flush()

        run(say)
        # Not the pipe's end says so: what was started may hold it open.
        pipe.write("null\n")
        pipe.flush()
        status = 0
    except BaseException:
        # Whatever it is, the parent's code must not run twice.
        traceback.print_exc(file=sys.__stderr__)
        raise
    finally:
        os._exit(status)
