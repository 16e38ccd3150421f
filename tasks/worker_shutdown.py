"""Whether this worker was asked to stop: the main process hears of it, its children look here between two batches."""

import multiprocessing

#: In memory that the children of a fork share with their parent.
_asked = multiprocessing.Value("b", 0, lock=False)


def ask() -> None:
    _asked.value = 1


def asked() -> bool:
    return bool(_asked.value)
