"""Receipts nobody has applied yet: the table is the queue of record, a doorbell only says that there is something."""

import structlog
from django.db import connection

from tasks.events.applying import apply_receipt

log = structlog.get_logger(__name__)

#: The oldest that nobody is applying right now.
_NEXT = """
SELECT id FROM tasks_receipt WHERE applied_at IS NULL AND error = '' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
"""


def apply_one() -> bool:
    """Apply the oldest waiting receipt; False when there is none. Its failure is its own: it keeps waiting."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(_NEXT)
            row = cursor.fetchone()
        if row is None:
            return False
        apply_receipt(row[0])
    except Exception:
        log.exception("receipt_not_applied")
        return False
    return True
