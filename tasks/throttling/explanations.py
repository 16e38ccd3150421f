"""Why a running send stands still, explained for an operator."""

from django.db import connection
from django.db.models.functions import Now

from tasks.models import Alarm, Send, WarmUp

_TRANSPORTS = """
SELECT to_char(opened_at AT TIME ZONE 'UTC', 'HH24:MI'), throttle_reason,
       CASE WHEN throttled_until > statement_timestamp()
            THEN ceil(EXTRACT(EPOCH FROM throttled_until - statement_timestamp()))::int END
  FROM tasks_transportstate
 WHERE opened_at IS NOT NULL OR throttled_until > statement_timestamp()
 ORDER BY name
"""
BREAKER_OPEN = (
    "The last three requests were left without an answer, since {since} UTC: nothing more is sent until one is answered. "
    "One batch a minute feels the way."
)


def why_waiting(send: Send) -> str:
    """What a send waits for that is `sending`; empty when nothing does."""
    if send.status != Send.Status.SENDING:
        return ""
    warming_up = WarmUp.objects.filter(pk=send.sender_domain, throttled_until__gt=Now())
    reasons = list(
        Alarm.objects.filter(code=Alarm.Code.MARK_MISSING, cleared_at=None).values_list("message", flat=True)
    )
    reasons += list(warming_up.values_list("throttle_reason", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(_TRANSPORTS)
        for breaker_open_since, reason, seconds in cursor.fetchall():
            if breaker_open_since is not None:
                reasons.append(BREAKER_OPEN.format(since=breaker_open_since))
            if seconds is not None:
                reasons.append(f"{reason} It goes on in {seconds} s.")
    return " ".join(reasons)
