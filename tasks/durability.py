"""Transactions that must be on disk before the next step, and writes that must land."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction

log = structlog.get_logger(__name__)
T = TypeVar("T")

#: Seconds an outcome may wait for the database: below the task's soft limit of 240 s.
PATIENCE = 150.0


@contextmanager
def durable() -> Iterator[None]:
    """A transaction of its own that is on disk when it ends, whatever the server's default is."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = on")
        yield


def persistently(write: Callable[[], T], *, patience: float = PATIENCE) -> T:
    """Call `write` until it lands, over new connections; it must be safe to repeat.

    Raises the last OperationalError or InterfaceError once `patience` seconds are over.
    """
    give_up = time.monotonic() + patience
    pause = 0.05
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError) as error:
            if time.monotonic() + pause > give_up or connection.in_atomic_block:
                raise
            log.warning("database_away", error=str(error).strip(), again_in=pause)
            connection.close()
            time.sleep(pause)
            pause = min(pause * 2, 5.0)
