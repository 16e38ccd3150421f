"""Why a running send stands still, in words for an operator."""

from django.db import connection

from tasks.flow.warming import hold_name
from tasks.models import Send

_STATES = """
SELECT name, to_char(opened_at AT TIME ZONE 'UTC', 'HH24:MI'), hold_reason,
       ceil(EXTRACT(EPOCH FROM hold_until - statement_timestamp()))::int
  FROM tasks_transportstate
 WHERE (opened_at IS NOT NULL OR hold_until > statement_timestamp()) AND (name NOT LIKE 'domain:%%' OR name = %s)
 ORDER BY name
"""
BREAKER_OPEN = (
    "The last three requests were left without an answer, since {since} UTC: nothing more is sent until one is answered. "
    "One batch a minute feels the way."
)


def why_held(send: Send) -> str:
    """What holds a send that is `sending`; empty when nothing does."""
    if send.status != Send.Status.SENDING:
        return ""
    words = []
    with connection.cursor() as cursor:
        cursor.execute(_STATES, [hold_name(send.sender_domain)])
        for name, since, reason, seconds in cursor.fetchall():
            if since is not None:
                words.append(BREAKER_OPEN.format(since=since))
            if seconds is not None and name.startswith("domain:"):
                words.append(reason)
            elif seconds is not None:
                words.append(f"{reason} It goes on in {seconds} s.")
    return " ".join(words)
