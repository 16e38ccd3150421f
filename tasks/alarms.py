"""Raising what a person must look at: a row, and a line in the log."""

import structlog

from tasks.models import Alarm

log = structlog.get_logger(__name__)


def raise_alarm(
    code: str,
    message: str,
    *,
    send_id: int | None = None,
    publication_id: int | None = None,
    edition_id: int | None = None,
    mail: bool = False,
) -> None:
    """Record an alarm once: the same code and message about the same thing is not repeated until it is cleared."""
    about = {"send_id": send_id, "publication_id": publication_id, "edition_id": edition_id}
    same = Alarm.objects.filter(code=code, message=message[:500], cleared_at__isnull=True)
    where = {(name if value else f"{name}__isnull"): value or True for name, value in about.items()}
    if same.filter(**where).exists():
        return
    Alarm.objects.create(code=code, message=message[:500], **about)
    log.error("alarm", code=code, message=message, send=send_id, edition=edition_id, mail=mail)
