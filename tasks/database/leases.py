"""A worker's lease: an advisory lock that its database session holds, so that its claims end with it, wherever it ran.

A pid tells only those who share the machine whether its process lives (`newsdesk.core.process_identity`). The container that takes a
killed one's place cannot look there, but the killed one's connections are gone, and PostgreSQL has let go of their locks. A lost
session is no proof that nobody posts any more: a worker may be cut off from the database alone, and post until its time is
over. So whoever lets go of a claim for this reason treats it like one that is stale, and never like a dead process's.
"""

import os
import random
import re

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from newsdesk.core import advisory_locks, process_identity
from tasks.database.statements import run

#: Seconds. A worker posts no longer than this after its fence: 15 until the first byte, 60 for the request, and some to be sure.
#: After the database's start it is back by then too; before, that its session is gone says nothing: all of them went.
POSTS_FOR = 90.0
_TAKE = "SELECT pg_advisory_lock_shared(%s, %s)"
_HELD = """
SELECT objid::bigint FROM pg_locks
 WHERE locktype = 'advisory' AND classid = %s AND objsubid = 2 AND granted
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_STARTED = "SELECT EXTRACT(EPOCH FROM clock_timestamp() - pg_postmaster_start_time())::float8"
_HOLDER = re.compile(r"lease=(\d+) ")


class _Lease:
    """What this process holds, once it has claimed anything."""

    number = 0
    pid = 0
    #: The driver's connection whose session holds it.
    session: object = None


def holder() -> str:
    """A name for this process, for `Batch.claimed_by`, under whose lease the claim is made. Raises the database's errors."""
    if _Lease.pid != os.getpid():
        _Lease.number, _Lease.pid, _Lease.session = random.SystemRandom().randrange(1, 2**31), os.getpid(), None
    connection.ensure_connection()
    if _Lease.session is not connection.connection:
        _take(connection)
    return f"lease={_Lease.number} {process_identity.current_process()}"


def retake(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    """For each new connection: a process that has claims holds its lease with the session that it has now."""
    if _Lease.pid == os.getpid():
        _take(connection)


def process_of(holder: str) -> str:
    """The process in such a name, as `process_identity.is_dead` takes it."""
    return _HOLDER.sub("", holder, count=1)


def lost(holders: set[str]) -> set[str]:
    """Those whose session is gone; none of whom that cannot be said. Raises the database's errors."""
    leased = {holder: int(match.group(1)) for holder in holders if (match := _HOLDER.match(holder))}
    if not leased:
        return set()
    held = {number for (number,) in run(_HELD, [advisory_locks.LEASES])}
    gone = {holder for holder, number in leased.items() if number not in held}
    return gone if gone and run(_STARTED, ())[0][0] > POSTS_FOR else set()


def _take(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [advisory_locks.LEASES, _Lease.number])
    _Lease.session = connection.connection
