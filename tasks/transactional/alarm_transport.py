"""Mails about alarms go by a server of their own where one is set: never only by the way that may be what failed.

Nor only by that server, which is used so rarely that nobody notices when its password has expired: the tries of a mail go by it and the
usual way in turn, and what it said last is kept for an alarm (`tasks.alarms.ways`).
"""

import os

from django.conf import settings

from newsdesk.core.environment import SmtpServer
from tasks.database.statements import run
from tasks.models import AlarmWay, TransactionalMail
from tasks.providers.base import Transport
from tasks.providers.smtp.provider import transport_to

_transports: dict[tuple[int, SmtpServer], Transport] = {}

_TOOK_IT = """
INSERT INTO tasks_alarmway (name) VALUES (%s) ON CONFLICT (name) DO UPDATE SET failures = 0, said = ''
"""
_FAILED = """
INSERT INTO tasks_alarmway AS w (name, failures, said) VALUES (%s, 1, %s)
ON CONFLICT (name) DO UPDATE SET failures = w.failures + 1, said = excluded.said
"""


def has_two_ways(kind: str) -> bool:
    """Whether mails of this kind go by the server for alarms and the usual way in turn."""
    return settings.ALARM_SMTP_SERVER is not None and kind == TransactionalMail.Kind.ALARM


def is_by_alarm_server(kind: str, tries: int) -> bool:
    """Whether a mail's try of this number goes by the server for alarms: the first, the third and so on."""
    return has_two_ways(kind) and tries % 2 == 1


def transport_for(kind: str, usual: Transport, *, tries: int) -> Transport:
    """By which way a mail's try of this number goes. Connections made before a fork are never shared."""
    server: SmtpServer | None = settings.ALARM_SMTP_SERVER
    if server is None or not is_by_alarm_server(kind, tries):
        return usual
    key = os.getpid(), server
    if key not in _transports:
        _transports.clear()
        _transports[key] = transport_to(server)
    return _transports[key]


def note_alarm_server(failure: str) -> None:
    """Keep how the last try by the server for alarms went; an empty failure: it took the mail. Raises the database's errors."""
    if failure:
        run(_FAILED, (AlarmWay.Name.MAIL_SERVER.value, failure[:400]))
    else:
        run(_TOOK_IT, (AlarmWay.Name.MAIL_SERVER.value,))
