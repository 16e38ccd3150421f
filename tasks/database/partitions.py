"""The upkeep of the partitions that deliveries and exclusions lie in, each with the same few sends of either.

Migration 0024 makes the first, and has the database make a partition with the first send that needs it: whether this upkeep runs decides
nothing. It makes them ahead, so that no send waits; it seals what nothing is sent from any more, which then takes less than half of the
room; and it counts the whole for the planner, which autovacuum does for partitions only.
"""

from dataclasses import dataclass
from typing import NamedTuple

import structlog
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import errors

from tasks.database.statements import run

log = structlog.get_logger(__name__)

#: Partitions that are there before the first send needs them, and the sends in each (migration 0024).
AHEAD = 4
SENDS = 8
#: Days for which nothing of a partition's sends was posted before it is sealed: nearly all has been reported by then.
QUIET_DAYS = 14
#: Rows that are written anew at a time: others wait for some seconds a million (benchmarks/RESULTS.md).
MOST_ROWS = 30_000_000
#: Nothing is sealed while something is sent (what a person left in doubt for good is not), nor if a send is due within so many minutes.
_DUE_MINUTES = 30
#: The share of rows by which the planner's idea of the whole may be wrong.
_DRIFT = 0.1

_MAKE_AHEAD = """
SELECT count(*) FILTER (WHERE tasks_partition_for(last_value + ahead * %s))
  FROM tasks_send_id_seq, generate_series(0, %s) AS ahead
"""
_BOUND = r"""
SELECT c.oid, c.relname, COALESCE(substring(bound FROM 'FROM \(''?(\d+)')::bigint, 0) AS low,
       substring(bound FROM 'TO \(''?(\d+)')::bigint AS high, c.reltuples
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid CROSS JOIN LATERAL pg_get_expr(c.relpartbound, c.oid) AS bound
 WHERE i.inhparent = 'tasks_delivery'::regclass
"""
#: A partition that has the index on batches is still open.
_IS_OPEN = """
EXISTS (SELECT 1 FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
         WHERE x.indrelid = p.oid AND a.attname = 'batch_id')
"""
_OPEN = f"""
SELECT open.low, ARRAY(SELECT id FROM tasks_send WHERE id >= open.low)
  FROM (SELECT COALESCE(min(p.low), 0) AS low FROM ({_BOUND}) p WHERE {_IS_OPEN}) open
"""  # noqa: S608 - made of constants, like the others here
#: All of its sends were over so many days ago. With a later send of yesterday, no transaction holds back another of them.
_OVER = f"""
SELECT p.relname, p.low, p.high, p.reltuples, {_IS_OPEN} AS is_open FROM ({_BOUND}) p
 WHERE EXISTS (SELECT 1 FROM tasks_send s WHERE s.id >= p.low AND s.id < p.high)
   AND EXISTS (SELECT 1 FROM tasks_send s WHERE s.id >= p.high AND s.created_at < statement_timestamp() - interval '1 day')
   AND NOT EXISTS (SELECT 1 FROM tasks_send s WHERE s.id >= p.low AND s.id < p.high
                    AND (s.status NOT IN ('sent', 'cancelled')
                         OR COALESCE(s.finished_at, s.prepared_at, s.created_at) > statement_timestamp() - make_interval(days => %s)))
 ORDER BY p.low
"""  # noqa: S608
_BUSY = """
SELECT EXISTS (SELECT 1 FROM tasks_send s
                WHERE (s.status = 'scheduled' AND s.scheduled_at < statement_timestamp() + make_interval(mins => %s))
                   OR (s.status = 'sending' AND (
                       NOT EXISTS (SELECT 1 FROM tasks_batch b WHERE b.send_id = s.id AND b.status = 'unknown')
                       OR EXISTS (SELECT 1 FROM tasks_batch b
                                   WHERE b.send_id = s.id
                                     AND (b.status IN ('pending', 'building', 'submitting')
                                          OR (b.status = 'unknown' AND b.left_after_claims IS DISTINCT FROM b.attempts))))))
"""
#: Sealed, the rows lie in the order of their keys without free space, and are found by reader or by send. Uniqueness was proven by
#: the key until now, and nothing is added any more.
_SEAL = """
LOCK TABLE {part} IN ACCESS EXCLUSIVE MODE;
ALTER TABLE {part} SET (fillfactor = 100);
{drop_batch_index};
CLUSTER {part} USING {key};
ALTER TABLE {part} DROP CONSTRAINT {key};
CREATE INDEX {part}_reader ON {part} (subscriber_id);
CREATE INDEX {part}_send ON {part} USING brin (send_id) WITH (pages_per_range = 16);
CREATE TRIGGER {part}_sealed BEFORE INSERT ON {part} FOR EACH ROW EXECUTE FUNCTION tasks_delivery_is_sealed();
ANALYZE {part}
"""
_INDEXES = """
SELECT c.relname, x.indisprimary FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid WHERE x.indrelid = %s::text::regclass
"""
#: A send is no more than a guess to the planner until its partition is counted, by autovacuum within a minute or so. Some of its rows tell enough.
_COUNT_PARTITION = "SET LOCAL lock_timeout = '1s'; SET LOCAL default_statistics_target = 20; ANALYZE {part}"
_PARTITION_OF = "SELECT tableoid::regclass::text FROM tasks_delivery WHERE send_id = %s LIMIT 1"
_DRIFTED = f"""
SELECT abs(sum(COALESCE(s.n_live_tup, 0)) - (SELECT GREATEST(reltuples, 0) FROM pg_class WHERE oid = 'tasks_delivery'::regclass))
       > {_DRIFT} * sum(COALESCE(s.n_live_tup, 0))
  FROM pg_inherits i JOIN pg_stat_user_tables s ON s.relid = i.inhrelid WHERE i.inhparent = 'tasks_delivery'::regclass
"""  # noqa: S608


class Partition(NamedTuple):
    """Its sends are those from `low` on and below `high`."""

    #: Of its deliveries.
    name: str
    low: int
    high: int
    rows: float
    #: It is not sealed.
    is_open: bool

    @property
    def exclusions(self) -> str:
        return self.name.replace("delivery", "exclusion")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What one upkeep did: how many partitions were made, which was sealed ("" = none), whether the planner's idea was renewed."""

    made: int
    sealed: str
    counted: bool


def keep() -> Kept:
    """Make partitions ahead, seal one that has become quiet, count the whole. May be repeated at any time, or broken off.

    Raises the database's errors.
    """
    kept = Kept(made=make_ahead(), sealed=seal_one(), counted=_count())
    if kept != Kept(made=0, sealed="", counted=False):
        log.info("partitions_kept", made=kept.made, sealed=kept.sealed, counted=kept.counted)
    return kept


def count_for(send_id: int) -> None:
    """Have the planner know the partition of a send whose deliveries have just been written.

    It would believe that the send has a delivery or two, and read all of them for each batch. Left to autovacuum where that fails, as while somebody
    else works on the partition: the send is prepared, and goes out all the same.
    """
    try:
        with transaction.atomic():
            for (name,) in run(_PARTITION_OF, (send_id,)):
                with connection.cursor() as cursor:
                    cursor.execute(_COUNT_PARTITION.format(part=name))
    except DatabaseError as error:
        log.warning("partition_not_counted", send=send_id, error=str(error).strip())


def make_ahead() -> int:
    """Make the partitions that the next sends need; how many were missing."""
    with connection.cursor() as cursor:
        cursor.execute(_MAKE_AHEAD, [SENDS, AHEAD])
        return int(cursor.fetchone()[0])


def open_sends() -> tuple[int, list[int]]:
    """Where the first partition begins that is not sealed, and the sends from there on: those before it find a reader by themselves."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN)
        low, sends = cursor.fetchone()
    return int(low), list(sends)


def over(days: int) -> list[Partition]:
    """Partitions of which nothing was sent for so many days, and nothing will be; the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_OVER, [days])
        return [Partition(*row) for row in cursor.fetchall()]


def hold(cursor: CursorWrapper, partition: Partition) -> None:
    """Let nobody change the partition until the transaction ends. Raises OperationalError rather than wait for long."""
    cursor.execute("SET LOCAL lock_timeout = '2s'")
    cursor.execute(f"LOCK TABLE {partition.name}, {partition.exclusions} IN SHARE MODE")


def drop(cursor: CursorWrapper, partition: Partition) -> None:
    """Take it out of both tables, for good. It locks them for a moment, and raises OperationalError rather than wait for long."""
    for whole, part in (("tasks_delivery", partition.name), ("tasks_exclusion", partition.exclusions)):
        cursor.execute(f"ALTER TABLE {whole} DETACH PARTITION {part}; DROP TABLE {part}")


def seal_one(*, quiet_days: int = QUIET_DAYS) -> str:
    """Seal the oldest partition of which nothing was sent for so many days; its name, or "" where there is none or others are busy.

    Whoever needs the partition waits meanwhile. All of it is one transaction: broken off, nothing has changed.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BUSY, [_DUE_MINUTES])
        if cursor.fetchone()[0]:
            return ""
    quiet = next((one for one in over(quiet_days) if one.is_open and one.rows <= MOST_ROWS), None)
    if quiet is None:
        return ""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # Who waits for a lock stops everybody behind them: rather try again in an hour.
            cursor.execute("SET LOCAL lock_timeout = '2s'; SET LOCAL maintenance_work_mem = '128MB'")
            _seal(cursor, quiet.name)
    except OperationalError as error:
        if not isinstance(error.__cause__, errors.LockNotAvailable):
            raise
        log.info("partition_is_read", partition=quiet.name)
        return ""
    return quiet.name


def _seal(cursor: CursorWrapper, part: str) -> None:
    cursor.execute(_INDEXES, [part])
    indexes = cursor.fetchall()
    (key,) = (name for name, is_primary in indexes if is_primary)
    drop = "; ".join(f"DROP INDEX {name}" for name, is_primary in indexes if not is_primary)
    # The names are ours: nobody else gives any to partitions.
    cursor.execute(_SEAL.format(part=part, key=key, drop_batch_index=drop))


def _count() -> bool:
    """Have the planner know the whole anew where it has grown or shrunk by a tenth; whether it was."""
    ((drifted,),) = run(_DRIFTED, ())
    if drifted:
        run("ANALYZE tasks_delivery, tasks_exclusion", ())
    return bool(drifted)
