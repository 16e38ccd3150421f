"""Readers whose mailbox provider has put them off for days fail, as with any mail server (RFC 5321, section 4.5.4.1).

A send may be old for other reasons: it was paused, it warms up a few readers a day. So the provider must have said no as often in a
row as takes a day, at the longest wait between two tries; one that was well until now has not.
"""

import structlog
from django.db.models.functions import Now

from tasks.database import row_locks
from tasks.database.durability import durable
from tasks.database.statements import run
from tasks.models import MailboxDomain, Send
from tasks.submission.retries import GIVE_UP_AFTER

log = structlog.get_logger(__name__)

#: With half an hour between two of them (`mailbox_domains.LIMIT`, three quarters of it with jitter) about a day.
MANY_IN_A_ROW = 60

_LOCK = """
SELECT id FROM tasks_batch
 WHERE send_id = %s AND mailbox_domain = %s AND status = 'pending' ORDER BY id FOR UPDATE SKIP LOCKED
"""
_FAIL = """
WITH failed AS (
    INSERT INTO tasks_exclusion (send_id, subscriber_id, kind, reason, attempt)
    SELECT d.send_id, d.subscriber_id, 'failed', left(%s, 200), b.attempts + 1
      FROM tasks_delivery d JOIN tasks_batch b ON b.id = d.batch_id WHERE d.send_id = %s AND b.id = ANY(%s::bigint[])
    ON CONFLICT DO NOTHING RETURNING subscriber_id
), of_batch AS (
    SELECT d.batch_id, count(*) AS readers FROM failed JOIN tasks_delivery d ON d.send_id = %s AND d.subscriber_id = failed.subscriber_id
     GROUP BY d.batch_id
)
UPDATE tasks_batch b SET status = 'failed', failed = b.failed + COALESCE((SELECT readers FROM of_batch WHERE batch_id = b.id), 0)
 WHERE b.id = ANY(%s::bigint[])
"""


def has_waited_for_days(send_id: int) -> bool:
    """Whether a mail server would no longer try to deliver what this send began with."""
    return Send.objects.filter(pk=send_id, prepared_at__lt=Now() - GIVE_UP_AFTER).exists()


def has_said_no_for_long(domain: str) -> bool:
    """Whether this mailbox provider has taken nobody for about a day, however often it was tried."""
    return MailboxDomain.objects.filter(pk=domain, put_off_in_a_row__gte=MANY_IN_A_ROW).exists()


def why(domain: str, words: str) -> str:
    """The reason with which they fail. `words`: what the server said the last time."""
    return f"{domain} has put its readers off for days; the last time: {words}"


def give_up(send_id: int, domain: str, *, words: str) -> None:
    """Fail all readers of a send who wait for this domain, not only those of the batch that was tried just now; safe to repeat."""
    with durable():
        row_locks.send_status(send_id)
        batches = [batch_id for (batch_id,) in run(_LOCK, (send_id, domain))]
        if batches:
            run(_FAIL, (why(domain, words), send_id, batches, send_id, batches))
    log.warning("mailbox_domain_given_up", send=send_id, domain=domain, batches=len(batches))
