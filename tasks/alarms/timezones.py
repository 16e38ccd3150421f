"""A publication whose timezone this machine does not know any more is told of; the alarm ends by itself."""

import structlog

from composer.models import Publication
from tasks.alarms.raising import clear_alarms, raise_alarm
from tasks.models import Alarm

log = structlog.get_logger(__name__)


def look() -> None:
    """Raise the alarm about each such publication, and clear those of the others. Raises the database's errors."""
    known = []
    for publication in Publication.objects.all():
        if publication.has_known_zone:
            known.append(publication.pk)
            continue
        raise_alarm(
            Alarm.Code.TIMEZONE_UNKNOWN,
            f"The timezone {publication.timezone} of {publication} is not known on this machine any more. Its slots and its "
            "sends at the readers' local time wait until the publication has another one; its times are shown in UTC.",
            publication_id=publication.pk,
            mail=True,
        )
    if clear_alarms(Alarm.Code.TIMEZONE_UNKNOWN, publication__in=known):
        log.info("timezones_known_again")
