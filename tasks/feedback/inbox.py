"""Keeping the raw body of a webhook call before it is answered, for a while after it was applied, and remembering the
calls that were not accepted.
"""

import structlog
from django.conf import settings
from django.db import connection

from tasks.database.statements import run

log = structlog.get_logger(__name__)

# One statement in its own transaction. What is answered with 2xx is never sent again, so it must survive a crash of the
# database even where an operator has relaxed synchronous_commit.
_STORE = """
INSERT INTO tasks_receipt (provider, body, error)
SELECT %s, %s::bytea, '' FROM set_config('synchronous_commit', 'on', true)
RETURNING id
"""


def store(body: bytes, *, provider: str) -> int:
    """Commit a receipt and return its id. Raises DatabaseError when it may not have been stored."""
    ((receipt_id,),) = run(_STORE, (provider, body))
    return int(receipt_id)


#: Rows that one statement deletes: some seconds of work, and locks that nobody waits for.
EXPIRE_CHUNK = 10_000
_EXPIRE = """
DELETE FROM tasks_receipt WHERE id IN (
    SELECT id FROM tasks_receipt
    WHERE error = '' AND applied_at < statement_timestamp() - make_interval(days => %s)
    ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
)
"""


def expire(days: int | None = None) -> int:
    """Delete the bodies applied more than this many days ago, by default NEWSDESK_RECEIPT_DAYS; 0 keeps them; how many.

    What was never applied, or only in part, waits for a person. Nothing else reads an applied body: whether silence is
    believed depends on what attempts have heard of, on receipts that wait, and on calls that were refused.
    """
    days = settings.RECEIPT_DAYS if days is None else days
    if not days:
        return 0
    expired = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_EXPIRE, [days, EXPIRE_CHUNK])
            deleted = int(cursor.rowcount)
        expired += deleted
        if deleted < EXPIRE_CHUNK:
            break
    log.info("receipts_expired", receipts=expired, days=days)
    return expired
