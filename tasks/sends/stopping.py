"""A send that fares badly with its readers pauses itself, once for each reason: after that a person has decided."""

from django.conf import settings
from django.db import transaction

from tasks.alarms.raising import raise_alarm
from tasks.models import Alarm
from tasks.sends import control, shares

#: Fewer say nothing about a send.
LEAST = 20


def pause_if_too_many(send_id: int) -> bool:
    """Pause a running send of whose readers too many were refused, bounced, were dropped or complained; whether it was. May be
    repeated.

    The shares are those of NEWSDESK_MOST_FAILED, _BOUNCED (also of those dropped) and _COMPLAINED. Raises the database's errors.
    """
    now = shares.read(send_id)
    for code, readers, most, what in (
        (Alarm.Code.MANY_FAILED, now.failed, settings.MOST_FAILED, "were refused"),
        (Alarm.Code.MANY_BOUNCED, now.bounced, settings.MOST_BOUNCED, "bounced"),
        (Alarm.Code.MANY_DROPPED, now.dropped, settings.MOST_BOUNCED, "were accepted by the provider and then dropped"),
        (Alarm.Code.MANY_COMPLAINED, now.complained, settings.MOST_COMPLAINED, "complained"),
    ):
        if not most or readers < LEAST or 100 * readers <= most * now.answered:
            continue
        if Alarm.objects.filter(send_id=send_id, code=code).exists():
            # It was paused for this, and somebody has resumed it.
            continue
        told = shares.in_words(readers, of=now.answered, what=what)
        why = f"{told}, more than the {most:g} % that may be. Look into it, then resume or cancel."
        with transaction.atomic():
            if control.pause(send_id, why):
                raise_alarm(code, why, send_id=send_id, mail=True)
                return True
    return False
