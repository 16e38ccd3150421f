"""Noticing that a send is over."""

import structlog
from django.db import connection

from tasks.sends import few_readers, heartbeat_pings, shares
from tasks.sends.audit_trail import NEWSDESK

log = structlog.get_logger(__name__)

#: One statement, since it is asked after every batch.
_FINISH = """
WITH finished AS (
    UPDATE tasks_send s SET status = 'sent', finished_at = statement_timestamp()
     WHERE s.id = %s AND s.status = 'sending'
       AND NOT EXISTS (SELECT 1 FROM tasks_batch b
                        WHERE b.send_id = s.id AND b.status IN ('pending', 'building', 'submitting', 'unknown'))
    RETURNING s.id
)
INSERT INTO tasks_action (send_id, what, why, who) SELECT id, 'sent', '', %s FROM finished
"""


def finish_if_done(send_id: int) -> bool:
    """Mark a sending send as sent when nothing of it is pending, submitting or unknown; whether it was. May be repeated."""
    with connection.cursor() as cursor:
        cursor.execute(_FINISH, [send_id, NEWSDESK])
        finished = cursor.rowcount
    if finished:
        log.info("send_finished", send=send_id)
        heartbeat_pings.finished(send_id)
        shares.alarm_if_many_failed(send_id)
        few_readers.look(send_id)
    return bool(finished)
