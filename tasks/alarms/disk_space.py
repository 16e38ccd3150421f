"""A disk that fills up is told of while there is still room for the alarm, and the alarm ends by itself."""

import structlog
from django.conf import settings
from django.db import DatabaseError

from newsdesk.core import disk_space
from tasks.alarms.raising import clear_alarms, raise_alarm
from tasks.models import Alarm

log = structlog.get_logger(__name__)


def look() -> None:
    """Raise the alarm, or clear it. Never fails: on a full disk there may be no room for it."""
    free = disk_space.free_percent(settings.HOME.path)
    try:
        if free < disk_space.LEAST:
            raise_alarm(
                Alarm.Code.DISK_SPACE,
                f"Less than {disk_space.LEAST:g} % of the disk of {settings.HOME.path} is free. Make room: below "
                f"{disk_space.LEAST_TO_SEND:g} % sends wait, and they go on by themselves once there is room.",
                mail=True,
            )
        elif free >= disk_space.ENOUGH and clear_alarms(Alarm.Code.DISK_SPACE):
            log.info("disk_has_room_again", percent=round(free))
    except DatabaseError as error:
        log.error("disk_alarm_not_raised", percent=round(free, 1), error=str(error).strip())  # noqa: TRY400 - it says all
