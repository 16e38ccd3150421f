"""The order in which rows are locked: the send, then its batches by id, then attempts, deliveries and suppressions
(docs/architecture.md, "Lock order").

Pause, cancel and resume update the send's row; whoever moves a batch reads it with a lock first, so that each comes
wholly before or wholly after the other.
"""

from django.db import connection


def send_status(send_id: int, *, to_change: bool = False) -> str:
    """The send's status, which stays so until the transaction ends; empty when there is no such send.

    `to_change` for whoever will update the row in the same transaction: two who share it could not both do that.
    """
    # NO KEY: rows that refer to the send (alarms) may still be written meanwhile.
    mode = "FOR NO KEY UPDATE" if to_change else "FOR SHARE"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT status FROM tasks_send WHERE id = %s {mode}", [send_id])  # noqa: S608 - one of two
        row = cursor.fetchone()
    return str(row[0]) if row else ""
