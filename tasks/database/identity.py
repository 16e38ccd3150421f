"""The database's identity: whether it keeps what it has committed, and is still the same one."""

from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.db import connection

from newsdesk.core.errors import OperationFailedError
from newsdesk.core.postgres import pooling

#: Reading which database, which timeline and whose tables these are: a restore or a promotion changes them (docs/architecture.md, Delivery).
#: The timeline is that of the log being written: pg_control_checkpoint() tells a promotion only at the next checkpoint.
IDENTITY_SQL = (
    "SELECT (SELECT system_identifier::text FROM pg_control_system()),"
    " ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int,"
    " 'tasks_installation'::regclass::oid::bigint"
)
#: The same as a table `here`, and a condition on it and a table `send`: the send was scheduled or prepared in another database.
HERE_SQL = f"({IDENTITY_SQL}) AS here (system_identifier, timeline, table_oid)"
MOVED_SQL = """\
(send.system_identifier IS DISTINCT FROM here.system_identifier OR send.timeline IS DISTINCT FROM here.timeline
 OR COALESCE(send.table_oid <> here.table_oid, false))"""


class UnsafeDatabaseError(OperationFailedError):
    """The database may forget what it committed; sending from it could send twice."""


@dataclass(frozen=True, kw_only=True)
class DatabaseIdentity:
    """What distinguishes this database from an earlier or a later state of itself."""

    system_identifier: str
    timeline: int
    #: Of the table tasks_installation: whoever restores a dump makes it anew, a copy of the files has the same.
    table_oid: int

    @property
    def as_fields(self) -> dict[str, Any]:
        """As a send keeps it."""
        return asdict(self)


def current() -> DatabaseIdentity:
    """The identity of the database Django is connected to. Raises the database's errors."""
    with connection.cursor() as cursor:
        cursor.execute(IDENTITY_SQL)
        identifier, timeline, table_oid = cursor.fetchone()
    return DatabaseIdentity(system_identifier=identifier, timeline=timeline, table_oid=table_oid)


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
