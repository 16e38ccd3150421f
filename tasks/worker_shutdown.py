"""Whether this worker was asked to stop: the main process gets the signal, its children look here between two batches."""

import multiprocessing
import os
import signal
import threading

#: In memory that the children of a fork share with their parent.
_requested = multiprocessing.Value("b", 0, lock=False)
#: Seconds. A request under way has ended by then, and what became of it is written down.
PATIENCE = 75.0


def end_at_last(seconds: float = PATIENCE) -> None:
    """Kill this process after so many seconds, unless it has ended. Called in the main process, by its signal handlers.

    Celery's shutdown stands still now and then: its pool waits for a message that was taken just before and is given to no child any
    more. The children end with the main process; whoever is started again finds what they had.
    """
    timer = threading.Timer(seconds, os.kill, [os.getpid(), signal.SIGKILL])
    timer.daemon = True
    timer.start()


def request() -> None:
    """Ask the worker's processes to claim nothing more. Called in the main process, by its signal handlers."""
    _requested.value = 1


def is_requested() -> bool:
    """Whether the worker of this process was asked to stop."""
    return bool(_requested.value)
