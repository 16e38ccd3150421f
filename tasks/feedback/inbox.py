"""Keeping the raw body of a webhook call before it is answered, for a while after it was applied, and remembering the
calls that were not accepted.
"""

from collections.abc import Iterator

from django.conf import settings

from tasks.database.deleting import in_chunks
from tasks.database.statements import run
from tasks.providers.base import SignedCall

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


def expire(days: int) -> Iterator[int]:
    """Delete the bodies applied more than this many days ago, step by step; how many with each.

    What was never applied, or only in part, waits for a person. Nothing else reads an applied body: whether silence is
    believed depends on what attempts have heard of, on receipts that wait, and on calls that were refused.
    """
    return in_chunks(_EXPIRE, days)


def forget_calls() -> int:
    """Delete the digests of calls that are refused by their age alone; how many.

    Without NEWSDESK_WEBHOOK_WINDOW_HOURS all stay: nothing but its digest tells that a call was taken years ago.
    """
    hours = settings.WEBHOOK_WINDOW_HOURS
    # One hour more than the window: the clocks of our processes may differ.
    return sum(in_chunks(_FORGET, hours + 1)) if hours else 0
