"""Ways out: one file for each provider."""

import os

from tasks.transports.base import Accepted, Message, Outcome, Reason, Recipient, Refused, Transport, Unknown

__all__ = [
    "Accepted",
    "Message",
    "Outcome",
    "Reason",
    "Recipient",
    "Refused",
    "Transport",
    "Unknown",
    "get_transport",
]

_transports: dict[int, Transport] = {}


def get_transport() -> Transport:
    """One for the process. Connections made before a fork are never shared: two children would mix answers."""
    from django.conf import settings

    from tasks.transports.sendgrid import SendGridTransport

    pid = os.getpid()
    if pid not in _transports:
        _transports.clear()
        _transports[pid] = SendGridTransport(api_key=settings.SENDGRID_API_KEY, host=settings.SENDGRID_HOST)
    return _transports[pid]
