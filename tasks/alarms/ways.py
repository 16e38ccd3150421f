"""A way that alarms leave by beside the usual one, and that does not work, is told of by the others; the alarm ends by itself.

Such a way is used so rarely that nobody else would notice. It makes no alarms about its own alarms: one is open at a time, and a day lies
between two.
"""

from datetime import timedelta
from typing import NamedTuple

from django.conf import settings

from tasks.alarms.raising import clear_alarms, raise_alarm
from tasks.models import Alarm, AlarmWay

_AGAIN_AFTER = timedelta(days=1)


class _Way(NamedTuple):
    code: Alarm.Code
    #: The setting without which there is no such way.
    setting: str
    #: Failures in a row after which it is told of.
    least: int
    #: {said}: what went wrong last.
    message: str


_WAYS = {
    AlarmWay.Name.MAIL_SERVER: _Way(
        Alarm.Code.ALARM_MAIL_SERVER,
        "ALARM_SMTP_SERVER",
        1,
        "The server of NEWSDESK_ALARM_SMTP_URL did not take the last mail about an alarm ({said}). Such mails are tried the usual way too, "
        "but by that alone while it fails. Look at its password, and whether it can be reached.",
    ),
    AlarmWay.Name.URL: _Way(
        Alarm.Code.ALARM_URL,
        "ALARM_URL",
        5,
        "Alarms cannot be posted to the address of NEWSDESK_ALARM_URL ({said}). Each is tried for a day; the desk shows them all.",
    ),
}


def look() -> None:
    """Raise the alarm about each way that fails, and clear those of the others. Raises the database's errors."""
    failing = {way.name: way for way in AlarmWay.objects.filter(failures__gt=0)}
    for name, way in _WAYS.items():
        state = failing.get(name)
        if state is None or not getattr(settings, way.setting):
            clear_alarms(way.code)
        elif state.failures >= way.least:
            raise_alarm(way.code, way.message.format(said=state.said[:200]), mail=True, again_after=_AGAIN_AFTER)
