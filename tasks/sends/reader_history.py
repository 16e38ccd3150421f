"""Every send that one reader was a candidate of, and what became of it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from tasks.sends.recipient_report import CANDIDATES

_HISTORY = f"""
SELECT m.id, m.edition_id, c.outcome, c.reason, COALESCE(
       x.at, (SELECT max(a.finished_at) FROM tasks_attempt a WHERE a.batch_id = c.batch_id), m.prepared_at, m.scheduled_at)
  FROM tasks_send m
 CROSS JOIN LATERAL ({CANDIDATES.format(send="m.id")}) c
  LEFT JOIN tasks_exclusion x ON x.send_id = m.id AND x.subscriber_id = c.subscriber_id
 WHERE c.subscriber_id = %s
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
    with connection.cursor() as cursor:
        cursor.execute(_HISTORY, [subscriber_id])
        return [
            Received(send=send, edition=edition, outcome=outcome, reason=reason, at=at)
            for send, edition, outcome, reason, at in cursor.fetchall()
        ]
