"""Which way out the settings choose."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from newsdesk.environment import SmtpServer
from tasks import transports
from tasks.transports import Remembers
from tasks.transports.file import FileTransport
from tasks.transports.sendgrid import SendGridTransport
from tasks.transports.smtp import SmtpTransport


@pytest.fixture(autouse=True)
def nothing_chosen_yet() -> Iterator[None]:
    transports._transports.clear()
    yield
    transports._transports.clear()


def test_sendgrid_is_the_default_and_one_serves_the_process() -> None:
    chosen = transports.get_transport()
    assert isinstance(chosen, SendGridTransport)
    assert transports.get_transport() is chosen
    assert not isinstance(chosen, Remembers)


def test_smtp_goes_to_the_server_that_is_set() -> None:
    with override_settings(NEWSDESK_TRANSPORT="smtp", SMTP_SERVER=SmtpServer(host="mx.example", port=25)):
        chosen = transports.get_transport()
    assert isinstance(chosen, SmtpTransport)
    assert isinstance(chosen, Remembers)


def test_file_writes_where_it_is_told(tmp_path: Path) -> None:
    with override_settings(NEWSDESK_TRANSPORT="file", NEWSDESK_MAILDIR=tmp_path):
        assert isinstance(transports.get_transport(), FileTransport)


def test_a_child_makes_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    parents = transports.get_transport()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert transports.get_transport() is not parents
