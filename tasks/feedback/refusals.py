"""Remembering webhook calls that were not accepted: nobody may then believe in silence."""

import time
from functools import cache
from threading import Lock

import structlog
from django.db import DatabaseError, connection

log = structlog.get_logger(__name__)

#: A flood of refused calls writes once in this many seconds; each write covers the seconds until the next.
NOTE_SECONDS = 1
_NOTE = """
INSERT INTO tasks_webhookstate (provider, refused_at) VALUES (%s, statement_timestamp() + make_interval(secs => %s))
ON CONFLICT (provider) DO UPDATE SET refused_at = GREATEST(tasks_webhookstate.refused_at, EXCLUDED.refused_at)
"""


class Refusals:
    """Notes that a webhook call was not answered with 2xx: nobody may then believe in silence (docs/adr/0008).

    Best effort: what could not be written while the database was away is written with the next call.
    """

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._lock = Lock()
        self._noted = self._tried = self._refused = float("-inf")
        self._owed = False

    def note(self) -> None:
        """A call was refused; written at most once a second, by one thread: a database that is away must not be asked by all."""
        now = time.monotonic()
        if now - self._noted < NOTE_SECONDS:
            return
        self._refused, self._owed = now, True
        if now - self._tried < NOTE_SECONDS or not self._lock.acquire(blocking=False):
            return
        try:
            self._write()
        finally:
            self._lock.release()

    def owe(self) -> None:
        """A call was refused while the database is known to be away: written with the next one that is taken."""
        self._refused, self._owed = time.monotonic(), True

    def settle(self) -> None:
        """Write what is owed, if anything."""
        if self._owed:
            with self._lock:
                self._write()

    def _write(self) -> None:
        self._tried = time.monotonic()
        try:
            with connection.cursor() as cursor:
                # What is written late is dated when it happened: later requests may be believed to be silent.
                since = time.monotonic() - self._refused
                cursor.execute(_NOTE, [self._provider, NOTE_SECONDS - since])
        except DatabaseError as error:
            self._owed = True
            log.warning("webhook_refusal_not_noted", error=str(error))
        else:
            self._owed = False
            self._noted = time.monotonic()


@cache
def refusals_of(provider: str) -> Refusals:
    """Those of one provider's calls, for the whole process."""
    return Refusals(provider)
