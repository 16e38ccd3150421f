"""Whether this worker was asked to stop: the main process gets the signal, its children look here between two batches."""

import multiprocessing

#: In memory that the children of a fork share with their parent.
_requested = multiprocessing.Value("b", 0, lock=False)


def request() -> None:
    """Ask the worker's processes to claim nothing more. Called in the main process, by its signal handlers."""
    _requested.value = 1


def is_requested() -> bool:
    """Whether the worker of this process was asked to stop."""
    return bool(_requested.value)
