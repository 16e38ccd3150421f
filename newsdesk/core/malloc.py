"""The C library's memory allocator, told to keep less for later."""

import ctypes

#: mallopt(3).
M_ARENA_MAX = -8


def limit_arenas(number: int) -> None:
    """Let all threads share so many arenas; does nothing where the C library is not glibc.

    glibc gives up to eight for each core to threads, and each keeps what its busiest moment took.
    """
    try:
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, number)
    except (AttributeError, OSError):
        return
