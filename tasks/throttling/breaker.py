"""The circuit breaker of a transport: three unknown outcomes in a row open it; then one batch a minute goes out as a probe."""

from django.db import connection

UNKNOWNS_TO_OPEN = 3
#: Seconds between two probes while it is open.
PROBE_EVERY_SECONDS = 60

_COUNT = """
INSERT INTO tasks_transportstate (name, unknowns_in_a_row) VALUES (%s, 1)
ON CONFLICT (name) DO UPDATE SET
    unknowns_in_a_row = LEAST(tasks_transportstate.unknowns_in_a_row + 1, 1000),
    opened_at = CASE WHEN tasks_transportstate.unknowns_in_a_row + 1 >= %s
                     THEN COALESCE(tasks_transportstate.opened_at, statement_timestamp()) END,
    probed_at = CASE WHEN tasks_transportstate.unknowns_in_a_row + 1 >= %s THEN statement_timestamp() END
RETURNING to_char(opened_at AT TIME ZONE 'UTC', 'HH24:MI')
"""
_CLOSE = """
UPDATE tasks_transportstate
   SET unknowns_in_a_row = 0, opened_at = NULL, probed_at = NULL, too_many_in_a_row = 0
 WHERE name = %s AND (unknowns_in_a_row > 0 OR too_many_in_a_row > 0)
"""
_PROBE = """
UPDATE tasks_transportstate SET probed_at = statement_timestamp()
 WHERE name = %s AND opened_at IS NOT NULL AND probed_at <= statement_timestamp() - make_interval(secs => %s)
"""


def count_unknown(transport: str) -> str:
    """One more unknown in a row; the third opens the breaker. Since when it is open ("14:05", UTC); empty when not."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [transport, UNKNOWNS_TO_OPEN, UNKNOWNS_TO_OPEN])
        (opened,) = cursor.fetchone()
    return opened or ""


def close(transport: str) -> None:
    """The transport accepted something: it can be trusted again."""
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE, [transport])


def is_open(transport: str) -> bool:
    """Whether nothing but probes may leave through this transport."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM tasks_transportstate WHERE name = %s AND opened_at IS NOT NULL", [transport])
        return cursor.fetchone() is not None


def probe_is_due(transport: str) -> bool:
    """Whether the breaker is open and the last probe was PROBE_EVERY_SECONDS ago; takes nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM tasks_transportstate WHERE name = %s AND opened_at IS NOT NULL"
            " AND probed_at <= statement_timestamp() - make_interval(secs => %s)",
            [transport, PROBE_EVERY_SECONDS],
        )
        return cursor.fetchone() is not None


def take_probe(transport: str) -> bool:
    """Take the probe that is due; False when none is. Call it inside the claim's transaction, which may roll it back."""
    with connection.cursor() as cursor:
        cursor.execute(_PROBE, [transport, PROBE_EVERY_SECONDS])
        return bool(cursor.rowcount == 1)
