"""Transactions that must be on disk before the next step, and writes that must land."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from tasks.database.statements import run

log = structlog.get_logger(__name__)
T = TypeVar("T")

#: Seconds an outcome may wait for the database: below the task's soft limit of 240 s.
PATIENCE = 150.0


def commit_to_disk(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    """For each new connection: what it commits is on disk, whatever the server's default is or becomes."""
    if settings.REQUIRE_DURABLE_DATABASE:
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = on")


def durable() -> AbstractContextManager[None]:
    """A transaction of its own that is on disk when it ends (`commit_to_disk` sees to that)."""
    return transaction.atomic(durable=True)


def run_durably(sql: str, params: Sequence[object]) -> list[tuple[Any, ...]]:
    """One statement that is a transaction of its own and on disk when it returns: its rows.

    Two statements and a commit cost four round trips, one costs one. Raises RuntimeError inside a transaction.
    """
    if connection.in_atomic_block and settings.REQUIRE_DURABLE_DATABASE:
        raise RuntimeError("inside a transaction nothing is durable before it ends")
    return run(sql, params)


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
