"""Finding providers: each is a folder beside this file, with a `provider.py` that says what it has."""

import os
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from django.conf import settings

from tasks.providers.base import Provider, Transport

_transports: dict[int, Transport] = {}


@cache
def provider(name: str) -> Provider | None:
    """The provider of this folder, loaded when it is first asked for; None when there is no such folder."""
    if not name.isidentifier() or find_spec(f"tasks.providers.{name}") is None:
        return None
    if find_spec(f"tasks.providers.{name}.provider") is None:
        return None
    loaded: Provider = import_module(f"tasks.providers.{name}.provider").PROVIDER
    return loaded


def provider_of(transport: str) -> Provider | None:
    """The provider of a transport by its name, such as "sendgrid:<fingerprint>"."""
    return provider(transport.partition(":")[0])


def title_of(transport: str) -> str:
    """What people call the provider of this transport."""
    known = provider_of(transport)
    return known.title if known else "The provider"


def reports(transport: str) -> bool:
    """Whether the provider tells later, by a webhook, what became of a request."""
    known = provider_of(transport)
    return known is not None and known.webhook is not None


def reports_by_mail(transport: str) -> bool:
    """Whether the provider tells of single mails later, by mail, as far as it is asked to and its mails are taken in."""
    known = provider_of(transport)
    return known is not None and known.mail_reports is not None


def get_transport() -> Transport:
    """The transport of this process. Connections made before a fork are never shared: two children would mix answers."""
    pid = os.getpid()
    if pid not in _transports:
        _transports.clear()
        chosen = provider(settings.NEWSDESK_TRANSPORT)
        assert chosen is not None, "the environment accepts only folders of tasks.providers"
        _transports[pid] = chosen.make_transport()
    return _transports[pid]
