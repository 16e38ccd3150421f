"""Keeping the raw body of a webhook call before it is answered, for a while after it was applied, and remembering the
calls that were not accepted.
"""

import struct
from collections.abc import Iterator
from os import SEEK_END
from typing import BinaryIO

import psycopg
from django.conf import settings
from django.db import connection, transaction
from psycopg.copy import LibpqWriter

from tasks.database.deleting import in_chunks
from tasks.database.statements import run
from tasks.providers.base import SignedCall

# What is answered with 2xx is never sent again, so it must survive a crash of the database even where an operator has
# relaxed synchronous_commit.
_ID = "SELECT nextval('tasks_receipt_id_seq') FROM set_config('synchronous_commit', 'on', true)"
# Another process that takes the same call at this moment waits for the end of ours: both are stored, or neither.
_ID_ONCE = """
WITH taken AS (
    INSERT INTO tasks_webhookcall (provider, digest, signed_at) VALUES (%s, %s::bytea, to_timestamp(%s))
    ON CONFLICT (provider, digest) DO NOTHING RETURNING id
)
SELECT nextval('tasks_receipt_id_seq') FROM taken, set_config('synchronous_commit', 'on', true)
"""
# A parameter would be copied whole into what libpq sends, and each connection keeps the room for the largest it ever sent.
_COPY = b"COPY tasks_receipt (id, provider, error, body) FROM STDIN (FORMAT binary)"
#: Bytes of a body that are in memory at a time.
_PIECE = 64 * 1024


@transaction.atomic
def store(body: BinaryIO, *, provider: str, call: SignedCall | None = None) -> int | None:
    """Store a receipt, committed unless the caller has a transaction, and return its id; None when this very call was stored before.

    The file is read from its beginning to its end. Raises DatabaseError when it may not have been stored, and the file's OSError.
    """
    rows = run(_ID, ()) if call is None else run(_ID_ONCE, (provider, call.digest, float(call.signed_at)))
    if not rows:
        return None
    receipt_id = int(rows[0][0])
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        sending = LibpqWriter(cursor, flush_threshold=_PIECE)
        with cursor.copy(_COPY, writer=sending) as copy:
            for piece in _row(receipt_id, provider, body):
                copy.write(piece)
    return receipt_id


def _row(receipt_id: int, provider: str, body: BinaryIO) -> Iterator[bytes]:
    """The row as COPY's binary format has it (PostgreSQL's manual, "COPY", "Binary Format")."""
    name, size = provider.encode(), body.seek(0, SEEK_END)
    head = b"PGCOPY\n\xff\r\n\0" + struct.pack("!iih", 0, 0, 4)
    yield head + struct.pack("!iqi", 8, receipt_id, len(name)) + name + struct.pack("!ii", 0, size)
    body.seek(0)
    while piece := body.read(_PIECE):
        yield piece
    yield struct.pack("!h", -1)


_EXPIRE = """
DELETE FROM tasks_receipt WHERE id = ANY(ARRAY(
    SELECT id FROM tasks_receipt
    WHERE error = '' AND applied_at < statement_timestamp() - make_interval(days => %s)
    ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
))
"""
_FORGET = """
DELETE FROM tasks_webhookcall WHERE id = ANY(ARRAY(
    SELECT id FROM tasks_webhookcall
    WHERE signed_at < statement_timestamp() - make_interval(hours => %s)
    ORDER BY signed_at LIMIT %s FOR UPDATE SKIP LOCKED
))
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
