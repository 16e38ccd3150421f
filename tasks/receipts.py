"""Keeping the raw body of a webhook call before it is answered, for a while after it was applied, and remembering the
calls that were not accepted.
"""

import time
from threading import Lock

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

from tasks.models.transport_state import WEBHOOK
from tasks.statements import run

log = structlog.get_logger(__name__)

# One statement in its own transaction. What is answered with 2xx is never sent again, so it must survive a crash of the
# database even where an operator has relaxed synchronous_commit.
_STORE = """
INSERT INTO tasks_receipt (body, error)
SELECT %s::bytea, '' FROM set_config('synchronous_commit', 'on', true)
RETURNING id
"""

#: A flood of refused calls writes once in this many seconds; each write covers the seconds until the next.
NOTE_SECONDS = 1
_NOTE = """
INSERT INTO tasks_transportstate (name, unknowns_in_a_row, webhook_refused_at)
VALUES (%s, 0, statement_timestamp() + make_interval(secs => %s))
ON CONFLICT (name) DO UPDATE SET
    webhook_refused_at = GREATEST(tasks_transportstate.webhook_refused_at, EXCLUDED.webhook_refused_at)
"""


def store(body: bytes) -> int:
    """Commit a receipt and return its id. Raises DatabaseError when it may not have been stored."""
    ((receipt_id,),) = run(_STORE, (body,))
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


class Refusals:
    """Notes that a webhook call was not answered with 2xx: nobody may then believe in silence (design §5.9).

    Best effort: what could not be written while the database was away is written with the next call.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._noted = self._refused = float("-inf")
        self._owed = False

    def note(self) -> None:
        """A call was refused; written at most once a second."""
        with self._lock:
            if time.monotonic() - self._noted < NOTE_SECONDS:
                return
            self._refused = time.monotonic()
            self._write()

    def settle(self) -> None:
        """Write what is owed, if anything."""
        if self._owed:
            with self._lock:
                self._write()

    def _write(self) -> None:
        try:
            with connection.cursor() as cursor:
                # What is written late is dated when it happened: later requests may be believed to be silent.
                since = time.monotonic() - self._refused
                cursor.execute(_NOTE, [WEBHOOK, NOTE_SECONDS - since])
        except DatabaseError as error:
            self._owed = True
            log.warning("webhook_refusal_not_noted", error=str(error))
        else:
            self._owed = False
            self._noted = time.monotonic()


refusals = Refusals()
