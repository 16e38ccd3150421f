"""Which way out the settings choose."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from newsdesk.core.environment import SmtpServer
from tasks.providers import registry
from tasks.providers.base import KeepsJournal
from tasks.providers.file.transport import FileTransport
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.providers.smtp.transport import SmtpTransport


@pytest.fixture(autouse=True)
def nothing_chosen_yet() -> Iterator[None]:
    registry._transports.clear()
    yield
    registry._transports.clear()


def test_sendgrid_is_the_default_and_one_serves_the_process() -> None:
    chosen = registry.get_transport()
    assert isinstance(chosen, SendGridTransport)
    assert registry.get_transport() is chosen
    assert not isinstance(chosen, KeepsJournal)


def test_smtp_goes_to_the_server_that_is_set() -> None:
    with override_settings(NEWSDESK_TRANSPORT="smtp", SMTP_SERVER=SmtpServer(host="mx.example", port=25)):
        chosen = registry.get_transport()
    assert isinstance(chosen, SmtpTransport)
    assert isinstance(chosen, KeepsJournal)


def test_file_writes_where_it_is_told(tmp_path: Path) -> None:
    with override_settings(NEWSDESK_TRANSPORT="file", NEWSDESK_MAILDIR=tmp_path):
        assert isinstance(registry.get_transport(), FileTransport)


def test_a_child_makes_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    parents = registry.get_transport()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert registry.get_transport() is not parents
