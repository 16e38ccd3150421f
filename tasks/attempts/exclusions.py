"""Excluding members from a batch after preparation, and readmitting them."""

from collections.abc import Mapping
from typing import Literal

from django.db import connection

_ADD = """
WITH added AS (
    INSERT INTO tasks_exclusion (send_id, subscriber_id, kind, reason, attempt)
    SELECT %(send)s, member, %(kind)s, left(reason, 200), %(attempt)s
      FROM unnest(%(members)s::bigint[], %(reasons)s::text[]) AS named(member, reason)
    ON CONFLICT DO NOTHING RETURNING kind
)
UPDATE tasks_batch SET
    excluded = excluded + (SELECT count(*) FROM added WHERE kind = 'excluded'),
    failed = failed + (SELECT count(*) FROM added WHERE kind = 'failed')
 WHERE id = %(batch)s
"""
_DELETE = """
WITH deleted AS (
    DELETE FROM tasks_exclusion x USING tasks_delivery d
     WHERE d.send_id = (SELECT send_id FROM tasks_batch WHERE id = %(batch)s) AND d.batch_id = %(batch)s AND x.send_id = d.send_id AND x.subscriber_id = d.subscriber_id
       AND x.attempt > %(attempt)s
    RETURNING x.kind
)
UPDATE tasks_batch SET
    excluded = excluded - (SELECT count(*) FROM deleted WHERE kind = 'excluded'),
    failed = failed - (SELECT count(*) FROM deleted WHERE kind = 'failed')
 WHERE id = %(batch)s
"""


def exclude(
    batch_id: int,
    *,
    send_id: int,
    kind: Literal["excluded", "failed"],
    reasons: Mapping[int, str],
    attempt: int,
) -> None:
    """Write exclusions, reason by subscriber id, that apply from this attempt's number on; the caller has locked the batch."""
    if not reasons:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _ADD,
            {
                "send": send_id,
                "kind": kind,
                "attempt": attempt,
                "members": list(reasons),
                "reasons": list(reasons.values()),
                "batch": batch_id,
            },
        )


def readmit(batch_id: int, *, later_than: int) -> None:
    """Delete the exclusions of later attempts: attempt `later_than` proved accepted, so those readers have the message."""
    with connection.cursor() as cursor:
        cursor.execute(_DELETE, {"batch": batch_id, "attempt": later_than})
