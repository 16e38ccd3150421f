"""Raising what a person must look at: a row, and a line in the log."""

import structlog

from tasks.models import Alarm

log = structlog.get_logger(__name__)


def raise_alarm(code: str, message: str, *, send_id: int | None = None) -> None:
    """Record an alarm once: the same code and message for the same send is not repeated until it is cleared."""
    same = Alarm.objects.filter(code=code, message=message[:500], cleared_at__isnull=True)
    if same.filter(send_id=send_id).exists() if send_id is not None else same.filter(send__isnull=True).exists():
        return
    Alarm.objects.create(code=code, message=message[:500], send_id=send_id)
    log.error("alarm", code=code, message=message, send=send_id)
