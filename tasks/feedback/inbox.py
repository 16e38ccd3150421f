"""Keeping the raw body of a webhook call before it is answered, for a while after it was applied, and remembering the
calls that were not accepted.
"""

import structlog
from django.conf import settings
from django.db import connection

from tasks.database.statements import run
from tasks.providers.base import SignedCall

log = structlog.get_logger(__name__)

# One statement in its own transaction. What is answered with 2xx is never sent again, so it must survive a crash of the
# database even where an operator has relaxed synchronous_commit.
_STORE = """
INSERT INTO tasks_receipt (provider, body, error)
SELECT %s, %s::bytea, '' FROM set_config('synchronous_commit', 'on', true)
RETURNING id
"""
# Another process that takes the same call at this moment waits for the end of ours: both are stored, or neither.
_STORE_ONCE = """
WITH taken AS (
    INSERT INTO tasks_webhookcall (provider, digest, signed_at) VALUES (%s, %s::bytea, to_timestamp(%s))
    ON CONFLICT (provider, digest) DO NOTHING RETURNING id
)
INSERT INTO tasks_receipt (provider, body, error)
SELECT %s, %s::bytea, '' FROM taken, set_config('synchronous_commit', 'on', true)
RETURNING id
"""


def store(body: bytes, *, provider: str, call: SignedCall | None = None) -> int | None:
    """Commit a receipt and return its id; None when this very call was stored before.

    Raises DatabaseError when it may not have been stored.
    """
    if call is None:
        rows = run(_STORE, (provider, body))
    else:
        rows = run(_STORE_ONCE, (provider, call.digest, float(call.signed_at), provider, body))
    return int(rows[0][0]) if rows else None


#: Rows that one statement deletes: some seconds of work, and locks that nobody waits for.
EXPIRE_CHUNK = 10_000
_EXPIRE = """
DELETE FROM tasks_receipt WHERE id IN (
    SELECT id FROM tasks_receipt
    WHERE error = '' AND applied_at < statement_timestamp() - make_interval(days => %s)
    ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
)
"""


_FORGET = """
DELETE FROM tasks_webhookcall WHERE id IN (
    SELECT id FROM tasks_webhookcall
    WHERE signed_at < statement_timestamp() - make_interval(hours => %s)
    ORDER BY signed_at LIMIT %s FOR UPDATE SKIP LOCKED
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
    expired = _delete_in_pieces(_EXPIRE, days)
    log.info("receipts_expired", receipts=expired, days=days)
    return expired


def forget_calls() -> int:
    """Delete the digests of calls that are refused by their age alone; how many.

    Without NEWSDESK_WEBHOOK_WINDOW_HOURS all stay: nothing but its digest tells that a call was taken years ago.
    """
    hours = settings.WEBHOOK_WINDOW_HOURS
    # One hour more than the window: the clocks of our processes may differ.
    return _delete_in_pieces(_FORGET, hours + 1) if hours else 0


def _delete_in_pieces(statement: str, age: int) -> int:
    gone = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, [age, EXPIRE_CHUNK])
            deleted = int(cursor.rowcount)
        gone += deleted
        if deleted < EXPIRE_CHUNK:
            return gone
