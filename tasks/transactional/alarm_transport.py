"""Mails about alarms go by a server of their own where one is set: never only by the way that may be what failed."""

import os

from django.conf import settings

from newsdesk.core.environment import SmtpServer
from tasks.models import TransactionalMail
from tasks.providers.base import Transport
from tasks.providers.smtp.provider import transport_to

_transports: dict[tuple[int, SmtpServer], Transport] = {}


def transport_for(mail: TransactionalMail, usual: Transport) -> Transport:
    """By which way this mail goes. Connections made before a fork are never shared."""
    server: SmtpServer | None = settings.ALARM_SMTP_SERVER
    if server is None or mail.kind != TransactionalMail.Kind.ALARM:
        return usual
    key = os.getpid(), server
    if key not in _transports:
        _transports.clear()
        _transports[key] = transport_to(server)
    return _transports[key]
