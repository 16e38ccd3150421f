"""Why a running send stands still, explained for an operator."""

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from newsdesk.core import disk_space
from tasks.models import Alarm, Send, WarmUp

_TRANSPORTS = """
SELECT to_char(opened_at AT TIME ZONE 'UTC', 'HH24:MI'), throttle_reason,
       CASE WHEN throttled_until > statement_timestamp()
            THEN ceil(EXTRACT(EPOCH FROM throttled_until - statement_timestamp()))::int END
  FROM tasks_transportstate
 WHERE opened_at IS NOT NULL OR throttled_until > statement_timestamp()
 ORDER BY name
"""
_DOMAINS = """
SELECT m.name, sum(b.size - b.excluded - b.failed)::int AS readers, m.throttle_reason,
       CASE WHEN m.throttled_until > statement_timestamp()
            THEN to_char(m.throttled_until AT TIME ZONE 'UTC', 'HH24:MI:SS') ELSE '' END
  FROM tasks_batch b JOIN tasks_mailboxdomain m ON m.name = b.mailbox_domain AND m.throttled_until IS NOT NULL
 WHERE b.send_id = %s AND b.status = 'pending' GROUP BY m.name ORDER BY readers DESC, m.name
"""
#: Mailbox providers that are named; of others it is only told how many readers wait for them.
_NAMED = 3
BREAKER_OPEN = (
    "The last three requests were left without an answer, since {since} UTC: nothing more is sent until one is answered. "
    "One batch a minute feels the way."
)
DISK_FULL = f"Less than {disk_space.LEAST_TO_SEND:g} % of the disk is free: nothing is sent until there is room again, and then it goes on by itself."


def why_waiting(send: Send) -> str:
    """What a send waits for that is `sending`, or whose time has come; empty when nothing does."""
    is_due = send.status == Send.Status.SCHEDULED and send.held_at is None and send.scheduled_at <= timezone.now()
    if send.status != Send.Status.SENDING and not is_due:
        return ""
    unconfirmed = Alarm.objects.filter(code__in=Alarm.DATABASE_UNCONFIRMED, cleared_at=None)
    reasons = list(unconfirmed.values_list("message", flat=True))
    if disk_space.is_too_short_to_send(settings.HOME.path):
        reasons.append(DISK_FULL)
    return " ".join(reasons if is_due else [*reasons, *_waiting_under_way(send)])


def _waiting_under_way(send: Send) -> list[str]:
    warming_up = WarmUp.objects.filter(pk=send.sender_domain, throttled_until__gt=Now())
    reasons = list(warming_up.values_list("throttle_reason", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(_TRANSPORTS)
        for breaker_open_since, reason, seconds in cursor.fetchall():
            if breaker_open_since is not None:
                reasons.append(BREAKER_OPEN.format(since=breaker_open_since))
            if seconds is not None:
                reasons.append(f"{reason} It goes on in {seconds} s.")
    return [*reasons, *_waiting_for_domains(send)]


def _waiting_for_domains(send: Send) -> list[str]:
    """Which mailbox providers readers wait for while the others go on."""
    with connection.cursor() as cursor:
        cursor.execute(_DOMAINS, [send.pk])
        rows = cursor.fetchall()
    reasons = [
        f"Readers at {domain} {'wait until ' + until + ' UTC' if until else 'are the next to be tried'} ({readers:,}): {why}"
        for domain, readers, why, until in rows[:_NAMED]
    ]
    if others := rows[_NAMED:]:
        reasons.append(f"Readers at {len(others)} more domains wait as well ({sum(row[1] for row in others):,}).")
    if reasons:
        reasons.append("They are tried again by themselves; nobody else waits for them.")
    return reasons
