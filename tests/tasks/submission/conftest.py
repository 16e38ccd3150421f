"""An SMTP server of each test's own, and the transport that posts to it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsdesk.core.environment import SmtpServer
from tasks.providers import registry
from tasks.providers.smtp.transport import SmtpTransport
from tests.smtp_server import SmtpSink, running


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with running(SmtpSink()) as one:
        yield one


@pytest.fixture
def smtp(sink: SmtpSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmtpTransport]:
    server = SmtpServer(host="127.0.0.1", port=sink.port, security="plain")
    transport = SmtpTransport(server, journal=tmp_path / "journal", deadline=5.0)
    monkeypatch.setitem(registry._transports, os.getpid(), transport)
    yield transport
    transport.close()
