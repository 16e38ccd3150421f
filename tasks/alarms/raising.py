"""Raising what a person must look at: a row, a line in the log, and where it cannot wait a mail to the editors."""

from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from tasks.alarms import posting
from tasks.alarms.mails import write_alarm_mails
from tasks.models import Alarm

log = structlog.get_logger(__name__)


def raise_alarm(
    code: Alarm.Code,
    message: str,
    *,
    send_id: int | None = None,
    publication_id: int | None = None,
    edition_id: int | None = None,
    mail: bool = False,
    again_after: timedelta | None = None,
) -> None:
    """Record an alarm once: the same code and message about the same thing are not repeated until it is cleared.

    `again_after` is for what goes on and on, under whatever message: it is not repeated while it is open, nor sooner than so long
    after it was raised once a person has cleared it. With `mail` every editor gets one mail about it, and it is posted to NEWSDESK_ALARM_URL. Mails that
    cannot be written never fail the caller; the database's errors about the alarm itself are raised.
    """
    about = {"send_id": send_id, "publication_id": publication_id, "edition_id": edition_id}
    message = message[:500]
    if again_after is not None:
        # Not one that a clock ahead has dated.
        lately = Q(cleared_at=None) | Q(raised_at__gt=Now() - again_after, raised_at__lte=Now())
        if Alarm.objects.filter(lately, code=code, **_lookups(about)).exists():
            return
    still_open = Alarm.objects.filter(message=message, cleared_at=None, **_lookups(about))
    if still_open.filter(code=code).exists():
        return
    # The same message under another code (a send paused because its database moved) is not mailed twice.
    told = still_open.filter(Q(mailed_at__isnull=False) | Q(post__isnull=False)).exists()
    with transaction.atomic():
        alarm = Alarm.objects.create(code=code, message=message, **about)
        if mail and not told:
            posting.write(alarm)
    log.error("alarm", code=code, message=message, send=send_id, publication=publication_id, edition=edition_id)
    if mail and not told:
        _mail(alarm)


def clear(alarm_id: int, *, who: str) -> bool:
    """A person has seen to it: it is open no more. False when there is no such open alarm."""
    cleared = Alarm.objects.filter(pk=alarm_id, cleared_at=None).update(cleared_at=Now())
    if cleared:
        log.info("alarm_cleared", alarm=alarm_id, who=who)
    return bool(cleared)


def clear_alarms(*codes: Alarm.Code, **about: Any) -> int:
    """Clear every open alarm of these codes that matches `about` (lookups of Alarm), since what it says holds no more; how many.

    In the caller's transaction. Raises the database's errors.
    """
    return Alarm.objects.filter(code__in=codes, cleared_at=None, **about).update(cleared_at=Now())


def _lookups(about: dict[str, int | None]) -> dict[str, object]:
    return {f"{name}__isnull" if value is None else name: value is None or value for name, value in about.items()}


def _mail(alarm: Alarm) -> None:
    try:
        with transaction.atomic():
            if write_alarm_mails(alarm):
                Alarm.objects.filter(pk=alarm.pk).update(mailed_at=Now())
    except Exception:
        log.exception("alarm_not_mailed", alarm=alarm.pk)
