"""PostgreSQL's advisory locks that Newsdesk takes, in one numbering; they end with their session or transaction.

`one` and `pair` share no keys (PostgreSQL keeps the two kinds apart).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from django.db import connection
from django.db.backends.utils import CursorWrapper

#: "ND": whoever shares the database with us can see whose lock it is.
_OURS = 0x4E44
#: The first of two numbers of a worker's lease (`tasks.database.leases`).
LEASES = 0x4E45


class AdvisoryLock(IntEnum):
    """What a lock is for; the value is the key's lower half."""

    #: Bringing the database's schema up to date.
    MIGRATION = 1
    #: Importing subscribers, one file at a time.
    IMPORT = 2
    #: Comparing suppression lists, one process at a time.
    SUPPRESSION_SYNC = 3
    #: Preparations that count what readers got lately.
    FREQUENCY_CAP = 4
    #: Joining seals of consents to the chain.
    CONSENT_CHAIN = 5
    #: Preparations that count the editions of a domain that is warming up.
    WARM_UP = 6

    @property
    def key(self) -> int:
        return _OURS << 16 | self.value


def lock_for_transaction(cursor: CursorWrapper, lock: AdvisoryLock) -> None:
    """Wait for the lock and hold it until the transaction ends."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock.key])


def lock_edition_for_transaction(cursor: CursorWrapper, edition_id: int) -> None:
    """Let preparations of one edition come one after the other: held until the transaction ends."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_OURS, edition_id % 2**31])


@contextmanager
def locked(lock: AdvisoryLock) -> Iterator[None]:
    """Wait for the lock and hold it inside."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [lock.key])
    try:
        yield
    finally:
        _unlock(lock)


@contextmanager
def tried(lock: AdvisoryLock) -> Iterator[bool]:
    """Hold the lock inside if it is free now; whether it was."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock.key])
        (taken,) = cursor.fetchone()
    try:
        yield bool(taken)
    finally:
        if taken:
            _unlock(lock)


def _unlock(lock: AdvisoryLock) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s)", [lock.key])
