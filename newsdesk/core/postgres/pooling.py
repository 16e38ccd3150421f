"""Poolers between us and PostgreSQL, such as PgBouncer: whether they lend a session for as long as a client stays.

In transaction mode each transaction may get another session of the server. What belongs to a session (advisory locks, cursors
that outlive their transaction, settings) is then somebody else's at the next statement.
"""

from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

from newsdesk.core.postgres import patience

_PID = "SELECT pg_backend_pid()"
#: Others may take a session from the pool in between; that we get our own back every time is a matter of luck then.
_TRIES = 5
#: For a pool in session mode that has none left: whoever asks for one waits there.
_SECONDS = 10.0


def lends_by_transaction(connection: BaseDatabaseWrapper) -> bool:
    """Whether each transaction gets another session; not to be asked inside a transaction. Raises the database's errors.

    True is proven: two clients had one session, or a client two. A pool that gives us no second connection says nothing.
    """
    connection.ensure_connection()
    ours: Any = connection.connection
    try:
        with (
            patience.at_most(_SECONDS),
            connection.get_new_connection({**connection.get_connection_params(), "autocommit": False}) as other,
        ):
            return any(_is_lent(ours, other) for _ in range(_TRIES))
    except psycopg.OperationalError:
        return False


def _is_lent(ours: Any, other: Any) -> bool:
    before = _pid(ours)
    try:
        # It holds what it gets until its transaction ends; in transaction mode that is most likely what we had.
        return _pid(other) == before or _pid(ours) != before
    finally:
        other.rollback()


def is_between(connection: BaseDatabaseWrapper) -> bool:
    """Whether a pooler is between us and the server: it names its clients by numbers of its own. Raises the database's errors."""
    connection.ensure_connection()
    ours: Any = connection.connection
    return bool(ours.info.backend_pid != _pid(ours))


def _pid(connection: Any) -> int:
    (pid,) = connection.execute(_PID).fetchone()
    return int(pid)
