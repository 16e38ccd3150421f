"""Ways out: one file for each provider."""

import os
from urllib.parse import urlsplit

from tasks.transports.base import (
    Accepted,
    Divided,
    Message,
    Outcome,
    Reason,
    Recalled,
    Recipient,
    Refused,
    Remembers,
    Transport,
    Unknown,
)

__all__ = [
    "Accepted",
    "Divided",
    "Message",
    "Outcome",
    "Reason",
    "Recalled",
    "Recipient",
    "Refused",
    "Remembers",
    "Transport",
    "Unknown",
    "get_transport",
]

_transports: dict[int, Transport] = {}


def get_transport() -> Transport:
    """One for the process. Connections made before a fork are never shared: two children would mix answers."""
    pid = os.getpid()
    if pid not in _transports:
        _transports.clear()
        _transports[pid] = _make()
    return _transports[pid]


def _make() -> Transport:
    from django.conf import settings

    match settings.NEWSDESK_TRANSPORT:
        case "smtp":
            from tasks.transports.smtp import SmtpTransport

            assert settings.SMTP_SERVER is not None, "the environment demands SMTP_URL"
            return SmtpTransport(
                settings.SMTP_SERVER,
                helo=urlsplit(settings.BASE_URL).hostname or "",
                journal=settings.HOME.smtp,
                dkim=settings.DKIM_KEY,
            )
        case "file":
            from tasks.transports.file import FileTransport

            return FileTransport(settings.NEWSDESK_MAILDIR)
        case _:
            from tasks.transports.sendgrid import SendGridTransport

            return SendGridTransport(api_key=settings.SENDGRID_API_KEY, host=settings.SENDGRID_HOST)
