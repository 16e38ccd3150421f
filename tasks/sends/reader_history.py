"""Every send that one reader was a candidate of, and what became of it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from tasks.database import partitions
from tasks.sends.recipient_report import OUTCOME

#: Sealed partitions find the reader at once, in the others each send is looked at. Each table is named as seldom as can be: it
#: costs the planner more to look at a partition than it costs to look into it.
_HISTORY = f"""
WITH d AS MATERIALIZED (
    SELECT send_id, batch_id FROM tasks_delivery WHERE subscriber_id = %(reader)s AND send_id < %(open)s
    UNION ALL
    SELECT send_id, batch_id FROM tasks_delivery WHERE subscriber_id = %(reader)s AND send_id = ANY(%(sends)s::bigint[])
), x AS MATERIALIZED (
    SELECT send_id, kind, reason, attempt, at FROM tasks_exclusion WHERE subscriber_id = %(reader)s
), sent AS (
    SELECT send_id, d.batch_id, x.kind, x.reason, x.attempt, x.at FROM d FULL JOIN x USING (send_id)
)
SELECT m.id, m.edition_id, {OUTCOME},
       COALESCE(x.at, (SELECT max(a.finished_at) FROM tasks_attempt a WHERE a.batch_id = x.batch_id), m.prepared_at, m.scheduled_at)
  FROM sent x JOIN tasks_send m ON m.id = x.send_id LEFT JOIN tasks_batch b ON b.id = x.batch_id
 WHERE x.batch_id IS NOT NULL OR x.attempt = 0
 ORDER BY m.id
"""  # noqa: S608 - made of constants


@dataclass(frozen=True, kw_only=True)
class Received:
    send: int
    edition: int
    #: In the words of the counts: pending, submitting, submitted, unknown, failed or excluded.
    outcome: str
    #: Why not, for those two; "" otherwise.
    reason: str
    #: When it was excluded, when its last request ended, or when it was prepared.
    at: datetime


def history(subscriber_id: int) -> list[Received]:
    """The reader's sends, oldest first."""
    first_open, sends = partitions.open_sends()
    with connection.cursor() as cursor:
        cursor.execute(_HISTORY, {"reader": subscriber_id, "open": first_open, "sends": sends})
        return [
            Received(send=send, edition=edition, outcome=outcome, reason=reason, at=at)
            for send, edition, outcome, reason, at in cursor.fetchall()
        ]
