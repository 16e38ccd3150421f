"""Who waits for whom, as PostgreSQL sees it."""

from django.db import connection


def waiting_for_locks(query: str = "") -> int:
    """How many other sessions wait for a lock now with a statement that holds these words."""
    with connection.cursor() as cursor:
        # Within a transaction the view would stay as first seen.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid <> pg_backend_pid()"
            " AND datname = current_database() AND position(%s in query) > 0",
            [query],
        )
        (waiting,) = cursor.fetchone()
    return int(waiting)
