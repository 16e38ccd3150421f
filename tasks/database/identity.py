"""The database's identity: whether it keeps what it has committed, and is still the same one."""

from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from newsdesk.core.errors import OperationFailedError
from newsdesk.core.postgres import pooling

#: Reading which database and which timeline this is: a restore or a promotion changes them (docs/architecture.md, Delivery).
#: The timeline is that of the log being written: pg_control_checkpoint() tells a promotion only at the next checkpoint.
IDENTITY_SQL = (
    "SELECT (SELECT system_identifier::text FROM pg_control_system()),"
    " ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int"
)


class UnsafeDatabaseError(OperationFailedError):
    """The database may forget what it committed; sending from it could send twice."""


@dataclass(frozen=True, kw_only=True)
class DatabaseIdentity:
    """What distinguishes this database from an earlier or a later state of itself."""

    system_identifier: str
    timeline: int


def current() -> DatabaseIdentity:
    """The identity of the database Django is connected to. Raises the database's errors."""
    with connection.cursor() as cursor:
        cursor.execute(IDENTITY_SQL)
        identifier, timeline = cursor.fetchone()
    return DatabaseIdentity(system_identifier=identifier, timeline=timeline)


def refuse_unsafe_database() -> None:
    """Raise UnsafeDatabaseError when sessions are lent by transaction, when transactions are not READ COMMITTED by default, or (unless
    REQUIRE_DURABLE_DATABASE is off) when fsync or synchronous_commit is off.
    """
    if pooling.lends_by_transaction(connection):
        raise UnsafeDatabaseError(
            "DATABASE_URL leads through a pooler in transaction mode, where a worker's lease is not its own: give workers a "
            "DATABASE_URL of PostgreSQL itself, or of a pool in session mode. Web and commands may use this one."
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('default_transaction_isolation')")
        (isolation,) = cursor.fetchone()
    if isolation != "read committed":
        raise UnsafeDatabaseError(
            f"PostgreSQL's default_transaction_isolation is {isolation}: claims would fail with each other. Set it to "
            "'read committed' for this database or its user."
        )
    if not settings.REQUIRE_DURABLE_DATABASE:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
        fsync, synchronous_commit = cursor.fetchone()
    if fsync != "on":
        raise UnsafeDatabaseError("PostgreSQL runs with fsync = off and may forget what was sent: switch it on.")
    if synchronous_commit == "off":
        raise UnsafeDatabaseError("PostgreSQL runs with synchronous_commit = off: switch it on.")
