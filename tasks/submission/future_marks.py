"""The database's clock was ahead and has been put right: whatever it dated lies in the future, and would be waited for as long.

Each moment that something waits for stands beside the one at which it was written (claimed, answered, prepared, created, throttled), and that
one is always past. Where it lies ahead, the wait is counted from now again: what was to take two seconds takes two seconds. A moment that a
person or a reader's own clock has chosen is left as it is.
"""

from typing import Any

import structlog
from django.conf import settings
from django.db import connection

from tasks.alarms.raising import raise_alarm
from tasks.models import Alarm

log = structlog.get_logger(__name__)

#: Seconds by which clocks of one database may differ between two statements: a promoted standby's, or one that is slewed.
TOLERANCE = 5.0
#: Seconds of the longest wait that anything asks for (`tasks.submission.partial_outcomes`, `tasks.throttling`): an hour and its jitter.
LONGEST = 4500.0

#: By how many seconds the newest of them lies ahead.
_AHEAD = """
SELECT EXTRACT(EPOCH FROM GREATEST(
    (SELECT max(GREATEST(claimed_at, enqueued_at)) FROM tasks_batch WHERE status IN ('pending', 'building', 'submitting')),
    (SELECT max(GREATEST(created_at, prepared_at)) FROM tasks_send WHERE status IN ('scheduled', 'sending', 'paused')),
    (SELECT max(GREATEST(throttled_at, probed_at, opened_at)) FROM tasks_transportstate),
    (SELECT max(GREATEST(throttled_at, counted_since, deferred_at)) FROM tasks_mailboxdomain),
    (SELECT max(GREATEST(created_at, claimed_at)) FROM tasks_letter WHERE status IN ('pending', 'submitting')),
    (SELECT max(received_at) FROM tasks_receipt WHERE applied_at IS NULL),
    (SELECT max(fenced_at) FROM tasks_attempt WHERE outcome IN ('', 'unknown')),
    (SELECT max(refused_at) FROM tasks_webhookstate)
) - statement_timestamp())::float8
"""
_NOW = "statement_timestamp()"
_LATEST = "(statement_timestamp() + make_interval(secs => %(tolerance)s))"


def _rest(until: str, since: str) -> str:
    """The moment until which a wait lasts that began at `since`, were it to begin now."""
    wait = f"GREATEST(LEAST({until} - {since}, make_interval(secs => %(longest)s)), interval '0')"
    return f"statement_timestamp() + {wait}"


#: A request that was claimed by the right time may have been answered by the wrong one.
_BATCH_MADE = """CASE WHEN b.attempts = 0 THEN s.prepared_at
     ELSE GREATEST(b.claimed_at, (SELECT max(a.finished_at) FROM tasks_attempt a WHERE a.batch_id = b.id)) END"""
#: In this order: what is written beside a wait is put right with it, or after it.
_STATEMENTS = (
    """
    UPDATE tasks_batch SET not_before = due.at, enqueued_at = NULL, claimed_at = LEAST(claimed_at, {now})
      FROM (SELECT b.id, {rest_of_batch} AS at
              FROM tasks_batch b JOIN tasks_send s ON s.id = b.send_id
             WHERE b.status = 'pending' AND b.not_before > {now} AND {batch_made} > {latest}
               AND (b.attempts > 0 OR s.local_at = '' OR b.not_before <= COALESCE(s.undo_until, s.prepared_at))
             ORDER BY b.id FOR UPDATE OF b SKIP LOCKED) due
     WHERE due.id = tasks_batch.id""",
    "UPDATE tasks_batch SET enqueued_at = NULL WHERE status = 'pending' AND enqueued_at > {latest}",
    "UPDATE tasks_batch SET claimed_at = {now} WHERE status IN ('building', 'submitting') AND claimed_at > {latest}",
    """
    UPDATE tasks_send SET undo_until = {rest_of_undo}, prepared_at = {now}
     WHERE status IN ('sending', 'paused') AND prepared_at > {latest}""",
    """
    UPDATE tasks_send SET scheduled_at = CASE WHEN scheduled_at <= created_at THEN {now} ELSE scheduled_at END, created_at = {now}
     WHERE status IN ('scheduled', 'sending', 'paused') AND created_at > {latest}""",
    """
    UPDATE tasks_transportstate
       SET throttled_until = {rest_of_throttle}, throttled_at = {now} WHERE throttled_at > {latest}""",
    """
    UPDATE tasks_transportstate SET opened_at = LEAST(opened_at, {now}), probed_at = LEAST(probed_at, {now})
     WHERE GREATEST(opened_at, probed_at) > {latest}""",
    """
    UPDATE tasks_mailboxdomain
       SET throttled_until = {rest_of_throttle}, throttled_at = {now} WHERE throttled_at > {latest} AND throttled_until IS NOT NULL""",
    """
    UPDATE tasks_mailboxdomain SET counted_since = LEAST(counted_since, {now}), deferred_at = LEAST(deferred_at, {now})
     WHERE GREATEST(counted_since, deferred_at) > {latest}""",
    """
    UPDATE tasks_warmup SET throttled_until = date_trunc('day', {now}, 'UTC') + interval '1 day'
     WHERE throttled_until > date_trunc('day', {now}, 'UTC') + interval '1 day'""",
    """
    UPDATE tasks_letter SET not_before = {rest_of_mail},
           created_at = LEAST(created_at, {now}), claimed_at = LEAST(claimed_at, {now})
     WHERE status IN ('pending', 'submitting') AND GREATEST(created_at, claimed_at) > {latest}""",
    "UPDATE tasks_receipt SET received_at = {now} WHERE applied_at IS NULL AND received_at > {latest}",
    # Accepted ones too: none of them may pass for later than a doubt of before.
    """
    UPDATE tasks_attempt SET fenced_at = LEAST(fenced_at, {now}), finished_at = LEAST(finished_at, {now})
     WHERE GREATEST(fenced_at, finished_at) > {latest}""",
    "UPDATE tasks_webhookstate SET refused_at = {now} WHERE refused_at > {latest}",
)
_PUT_RIGHT = tuple(
    statement.format(
        now=_NOW,
        latest=_LATEST,
        batch_made=_BATCH_MADE,
        rest_of_batch=_rest("b.not_before", _BATCH_MADE),
        rest_of_undo=_rest("undo_until", "prepared_at"),
        rest_of_throttle=_rest("throttled_until", "throttled_at"),
        rest_of_mail=_rest("not_before", "COALESCE(claimed_at, created_at)"),
    )
    for statement in _STATEMENTS
)


def put_right() -> float:
    """Shorten every wait that was written by a clock that was ahead, and raise an alarm; by how many seconds it was (0 = nothing was).

    Raises the database's errors.
    """
    params: dict[str, Any] = {"tolerance": TOLERANCE, "longest": max(LONGEST, float(settings.UNDO_SECONDS))}
    with connection.cursor() as cursor:
        cursor.execute(_AHEAD)
        ahead = float(cursor.fetchone()[0] or 0.0)
    if ahead <= TOLERANCE:
        return 0.0
    how_far = f"{ahead / 60:.0f} minutes" if ahead >= 120 else f"{ahead:.0f} seconds"
    raise_alarm(
        Alarm.Code.CLOCK_AHEAD,
        f"The database's clock was ahead by {how_far} or more and was put back: what would have waited for as long goes on now. Times "
        "in reports from then are wrong. See to it that the machine's clock is kept by NTP.",
        mail=True,
    )
    rows = 0
    # Each is a transaction of its own: sends are locked before batches elsewhere, and here after them.
    for statement in _PUT_RIGHT:
        with connection.cursor() as cursor:
            cursor.execute(statement, params)
            rows += cursor.rowcount
    log.error("clock_was_ahead", seconds=ahead, rows=rows)
    return ahead
