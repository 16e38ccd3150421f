"""A send that does not get on: its readers wait, each try is put off with a good reason, and it would be tried like that for ever.

A mail server that cannot be reached, an account whose quota ends each request with "too many": both are waited for without a limit, and
neither pauses anything. After an hour without a single acceptance a person is told. What has an end of its own is not: readers whose
mailbox provider is waited for or who are greylisted, as long as anybody can be asked for them, and a domain that is warming up.
"""

from datetime import timedelta

import structlog
from django.db import connection

from tasks.alarms.raising import clear_alarms, raise_alarm
from tasks.database.statements import run
from tasks.models import Alarm, Send
from tasks.models.batch import live_sql
from tasks.throttling import warm_up
from tasks.throttling.explanations import why_waiting

log = structlog.get_logger(__name__)

#: Seconds without an acceptance while somebody waits.
PATIENCE = 3600.0
_AGAIN_AFTER = timedelta(days=1)

#: Since when a batch is tried in vain, or could be tried. One that had got further, by readers who were refused or put off, has an end of
#: its own unless nobody answers it any more: it is tried in vain since the first of its last requests in a row that got nobody further.
_IN_VAIN_SINCE = """CASE
        WHEN b.mailbox_domain = '' AND b.rounds = 0
        THEN COALESCE((SELECT min(a.fenced_at) FROM tasks_attempt a WHERE a.batch_id = b.id), b.not_before)
        ELSE LEAST((SELECT min(a.fenced_at)
                      FROM (SELECT fenced_at FROM tasks_attempt WHERE batch_id = b.id ORDER BY number DESC LIMIT b.stalls) a),
                   CASE WHEN b.mailbox_domain = '' THEN b.not_before END)
        END"""
_STALLED = f"""
SELECT s.id, sum({live_sql("b")})::bigint
  FROM tasks_send s JOIN tasks_batch b ON b.send_id = s.id
 WHERE s.status = 'sending' AND {warm_up.MAY_GO_ON_SQL}
   AND b.status IN ('pending', 'building')
   AND {_IN_VAIN_SINCE}
       < statement_timestamp() - make_interval(secs => %(patience)s)
   AND NOT EXISTS (SELECT 1 FROM tasks_attempt a JOIN tasks_batch t ON t.id = a.batch_id
                    WHERE t.send_id = s.id AND a.outcome = 'accepted' AND a.fenced_at > statement_timestamp() - make_interval(secs => %(patience)s))
   AND NOT EXISTS (SELECT 1 FROM tasks_action c
                    WHERE c.send_id = s.id AND c.what = 'resumed' AND c.at > statement_timestamp() - make_interval(secs => %(patience)s))
 GROUP BY s.id ORDER BY s.id
"""  # noqa: S608 - made of constants
#: It is over, or something of it was accepted since.
_GOT_ON = f"""
SELECT told.send_id FROM tasks_alarm told JOIN tasks_send s ON s.id = told.send_id
 WHERE told.code = '{Alarm.Code.STALLED}' AND told.cleared_at IS NULL
   AND (s.status IN ('sent', 'cancelled') OR EXISTS (
        SELECT 1 FROM tasks_attempt a JOIN tasks_batch b ON b.id = a.batch_id
         WHERE b.send_id = s.id AND a.outcome = 'accepted' AND a.fenced_at > told.raised_at))
"""  # noqa: S608


def look() -> None:
    """Raise the alarms, and clear those of sends that got on or are over. Raises the database's errors."""
    for (send_id,) in run(_GOT_ON, ()):
        log.info("send_got_on", send=send_id)
        clear_alarms(Alarm.Code.STALLED, send_id=send_id)
    with connection.cursor() as cursor:
        cursor.execute(_STALLED, {"patience": PATIENCE})
        stalled = cursor.fetchall()
    for send_id, readers in stalled:
        raise_alarm(
            Alarm.Code.STALLED, _message(send_id, readers), send_id=send_id, mail=True, again_after=_AGAIN_AFTER
        )


def _message(send_id: int, readers: int) -> str:
    why = why_waiting(Send.objects.get(pk=send_id))
    waits = f"{readers:,} reader{' waits' if readers == 1 else 's wait'}"
    return (
        f"Send {send_id} has not got on for an hour: {waits}, and nothing of it was accepted.{f' {why}' if why else ''} "
        "Newsdesk keeps trying; cancel the send to give up what is left."
    )
