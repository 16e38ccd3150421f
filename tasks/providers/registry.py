"""The transport of this process, of the provider that the settings name."""

import os
from urllib.parse import urlsplit

from django.conf import settings

from tasks.providers.base import Transport

_transports: dict[int, Transport] = {}


def get_transport() -> Transport:
    """One for the process. Connections made before a fork are never shared: two children would mix answers."""
    pid = os.getpid()
    if pid not in _transports:
        _transports.clear()
        _transports[pid] = _make()
    return _transports[pid]


def _make() -> Transport:
    match settings.NEWSDESK_TRANSPORT:
        case "smtp":
            from tasks.providers.smtp.transport import SmtpTransport  # only the provider in use is loaded

            assert settings.SMTP_SERVER is not None, "the environment demands SMTP_URL"
            return SmtpTransport(
                settings.SMTP_SERVER,
                helo=urlsplit(settings.BASE_URL).hostname or "",
                journal=settings.HOME.smtp,
                dkim=settings.DKIM_KEY,
            )
        case "file":
            from tasks.providers.file.transport import FileTransport  # only the provider in use is loaded

            return FileTransport(settings.NEWSDESK_MAILDIR)
        case _:
            from tasks.providers.sendgrid.transport import SendGridTransport  # only the provider in use is loaded

            return SendGridTransport(api_key=settings.SENDGRID_API_KEY, host=settings.SENDGRID_HOST)
