"""A mail server of its own for mails about alarms."""

from collections.abc import Iterator
from typing import Any

import pytest

from tasks.providers.smtp.transport import SmtpTransport
from tasks.transactional import alarm_transport
from tests.smtp_server import SmtpSink, running
from tests.tasks.providers.conftest import server_of


@pytest.fixture(autouse=True)
def _connections_closed() -> Iterator[None]:
    """Its process keeps the connection; a test's server is gone after it."""
    yield
    while alarm_transport._transports:
        _, made = alarm_transport._transports.popitem()
        assert isinstance(made, SmtpTransport)
        made.close()


@pytest.fixture
def sink(settings: Any) -> Iterator[SmtpSink]:
    with running(SmtpSink()) as one:
        settings.ALARM_SMTP_SERVER = server_of(one)
        yield one
