"""An SMTP server of each test's own and the transport that posts to it; and an installation that has sent nothing yet."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.db import connection

from newsdesk.core import redis_client
from newsdesk.core.environment import SmtpServer
from tasks.database import high_water
from tasks.providers import registry
from tasks.providers.smtp.transport import SmtpTransport
from tests.smtp_server import SmtpSink, running
from tests.waiting import LONG


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with running(SmtpSink()) as one:
        yield one


@pytest.fixture
def smtp(sink: SmtpSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmtpTransport]:
    server = SmtpServer(host="127.0.0.1", port=sink.port, security="plain")
    transport = SmtpTransport(server, journal=tmp_path / "journal", deadline=LONG)
    monkeypatch.setitem(registry._transports, os.getpid(), transport)
    yield transport
    transport.close()


@pytest.fixture
def nothing_sent_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(settings.HOME), "marks", tmp_path / "marks")
    monkeypatch.setattr("tasks.database.high_water._redis", high_water._Redis())
    monkeypatch.setattr("tasks.database.high_water._notes", high_water._Notes())
    # The process must not keep an installation's id that is gone with the test.
    monkeypatch.setattr(high_water, "_installation", [])
    monkeypatch.setattr("django.conf.settings.REDIS_URL", f"redis+socket://{tmp_path}/none.sock")
    with connection.cursor() as cursor:
        cursor.execute("ALTER SEQUENCE tasks_fence_number RESTART")
        cursor.execute("UPDATE tasks_installation SET id = %s", [uuid4()])


@pytest.fixture
def in_redis(valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> redis.Redis:
    """A Redis of several machines: by another name than the home's own has."""
    url = valkey_url.replace("redis+socket:", "unix:").replace("virtual_host", "db")
    monkeypatch.setattr("django.conf.settings.REDIS_URL", url)
    return redis_client.client(url)


@pytest.fixture
def in_own_redis(valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> redis.Redis:
    """The embedded one of the home, whose data is copied with it."""
    assert valkey_url == settings.HOME.redis_url()
    monkeypatch.setattr("django.conf.settings.REDIS_URL", valkey_url)
    return redis_client.client(valkey_url)
