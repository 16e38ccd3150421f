"""How long what need not stay is kept: each kind for its own number of days, 0 = for ever. Beat deletes the rest every night.

Deleting goes in small statements, so that nobody waits for a lock, and ends after some minutes: the next night goes on.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog
from django.conf import settings
from django.db import connection

from tasks.database.deleting import in_chunks
from tasks.feedback import inbox
from tasks.privacy import archiving

log = structlog.get_logger(__name__)

#: Seconds for all of a night: a task may run for 240.
SECONDS = 180.0

#: By the sends they are of: events have an index for that, and none by their time. Those without a send are few.
_OLD_SENDS = """
SELECT id FROM tasks_send WHERE COALESCE(prepared_at, scheduled_at) < statement_timestamp() - make_interval(days => %s) ORDER BY id
"""
_EVENTS = """
DELETE FROM tasks_event WHERE key = ANY(ARRAY(
    SELECT key FROM tasks_event
     WHERE send_id IS NOT DISTINCT FROM %s AND at < statement_timestamp() - make_interval(days => %s)
     LIMIT %s FOR UPDATE SKIP LOCKED))
"""
_UNMATCHED_REPORTS = """
DELETE FROM tasks_unmatchedreport WHERE key = ANY(ARRAY(
    SELECT key FROM tasks_unmatchedreport
     WHERE recorded_at < statement_timestamp() - make_interval(days => %s) LIMIT %s FOR UPDATE SKIP LOCKED))
"""
_MAILS = """
DELETE FROM tasks_letter WHERE id = ANY(ARRAY(
    SELECT id FROM tasks_letter
     WHERE status IN ('submitted', 'unknown', 'failed') AND created_at < statement_timestamp() - make_interval(days => %s)
     ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED))
"""
#: A login that is over: its session has expired, or is gone. Address and browser stand in the second table.
_SESSIONS = """
DELETE FROM django_session WHERE session_key = ANY(ARRAY(
    SELECT session_key FROM django_session
     WHERE expire_date < statement_timestamp() - make_interval(days => %s) LIMIT %s FOR UPDATE SKIP LOCKED))
"""
_LOGINS = """
DELETE FROM usersessions_usersession WHERE id = ANY(ARRAY(
    SELECT u.id FROM usersessions_usersession u
     WHERE u.last_seen_at < statement_timestamp() - make_interval(days => %s)
       AND NOT EXISTS (SELECT 1 FROM django_session s WHERE s.session_key = u.session_key AND s.expire_date > statement_timestamp())
     LIMIT %s FOR UPDATE OF u SKIP LOCKED))
"""


def keep_periods(*, seconds: float = SECONDS) -> dict[str, int]:
    """Delete what is older than its setting allows; how much of each kind. What is left after `seconds` waits for the next call."""
    until = time.monotonic() + seconds
    done: dict[str, int] = {}
    for kind, days, expire in _kinds():
        done[kind] = sum(_until(expire(days), until)) if days else 0
    log.info("kept_no_longer", **done)
    return done


def _kinds() -> list[tuple[str, int, Callable[[int], Iterator[int]]]]:
    return [
        ("receipts", settings.RECEIPT_DAYS, inbox.expire),
        ("mails", settings.MAIL_DAYS, lambda days: in_chunks(_MAILS, days)),
        ("sessions", settings.LOGIN_DAYS, lambda days: in_chunks(_SESSIONS, days)),
        ("logins", settings.LOGIN_DAYS, lambda days: in_chunks(_LOGINS, days)),
        ("files", settings.OUTBOX_DAYS, _outbox_files),
        ("exports", settings.EXPORT_DAYS, _exports),
        ("events", settings.EVENT_DAYS, _events),
        ("unmatched_reports", settings.EVENT_DAYS, lambda days: in_chunks(_UNMATCHED_REPORTS, days)),
        ("deliveries", settings.DELIVERY_DAYS, archiving.expire),
    ]


def _until(steps: Iterator[int], until: float) -> Iterator[int]:
    for step in steps:
        yield step
        if time.monotonic() > until:
            return


def _events(days: int) -> Iterator[int]:
    with connection.cursor() as cursor:
        cursor.execute(_OLD_SENDS, [days])
        sends = [send_id for (send_id,) in cursor.fetchall()]
    for send_id in (*sends, None):
        yield from in_chunks(_EVENTS, send_id, days)


def _outbox_files(days: int) -> Iterator[int]:
    """Mails that the transport file wrote, and the sandbox's."""
    for outbox in (Path(settings.NEWSDESK_MAILDIR), settings.HOME.sandbox / "outbox"):
        for folder in ("new", "cur", "tmp"):
            yield from _old_files(outbox / folder, days)


def _exports(days: int) -> Iterator[int]:
    yield from _old_files(settings.HOME.exports, days)


def _old_files(folder: Path, days: int) -> Iterator[int]:
    oldest = time.time() - days * 86_400
    try:
        entries = os.scandir(folder)
    except FileNotFoundError:
        return
    with entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_mtime < oldest:
                Path(entry.path).unlink(missing_ok=True)
                yield 1
