"""A broker that stands still, is away or was started anew: whoever enqueues goes on."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings

from newsdesk.core import redis_client
from newsdesk.local_stack.engines.engines import Engines
from tasks import broker_connection, queue
from tasks.broker_connection import BrokerConnection, BrokerRestsError
from tasks.celery import app
from tests.waiting import LONG, eventually

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("patient_valkey_client")]

#: Seconds; a caller is kept for half a second at most, and this machine is slow. A hundred who each waited would take twice as long.
AT_ONCE = 20.0


@pytest.fixture
def broker() -> Iterator[Engines]:
    app.conf.broker_url = settings.REDIS_URL
    with Engines(settings.HOME, postgres=False) as engines:
        redis_client.client(settings.REDIS_URL).flushdb()
        broker_connection.broker.forget()
        yield engines
    broker_connection.broker.forget()


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the broker is well, a slow machine is not to look like one that does not answer."""
    monkeypatch.setattr("tasks.broker_connection.PATIENCE", LONG)


@contextmanager
def frozen(engines: Engines) -> Iterator[None]:
    pid = engines.pids()["valkey"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def waiting(name: str = "receipts") -> object:
    return redis_client.client(settings.REDIS_URL).llen(name)


def test_a_broker_that_stands_still_keeps_nobody(broker: Engines) -> None:
    assert eventually(lambda: queue.enqueue_receipt(1))
    taken: list[bool] = []
    began = time.monotonic()
    with frozen(broker):
        threads = [threading.Thread(target=lambda: taken.append(queue.enqueue_receipt(2))) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - began < AT_ONCE
        began = time.monotonic()
        assert not any(queue.enqueue_receipt(3) for _ in range(100))
        assert time.monotonic() - began < AT_ONCE
    assert taken == [False] * 20


def test_it_is_asked_again_once_it_has_rested(broker: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.broker_connection.REST", 0.0)
    with frozen(broker):
        assert not queue.enqueue_receipt(1)
    assert eventually(lambda: queue.enqueue_receipt(2))
    assert waiting()


@pytest.mark.usefixtures("patience")
def test_a_broker_that_was_started_anew_gets_the_next_message(broker: Engines) -> None:
    assert queue.enqueue_receipt(1)
    pid = broker.pids()["valkey"]
    os.kill(pid, signal.SIGKILL)
    assert eventually(broker.restart_dead)
    assert queue.enqueue_mail(2)
    assert (waiting(), waiting("letters")) == (1, 1)


@pytest.mark.usefixtures("patience")
def test_a_child_does_not_use_its_parents_connection(broker: Engines) -> None:
    assert queue.enqueue_mail(1)
    child = os.fork()
    if not child:
        os._exit(0 if broker_connection.broker._connection is None and queue.enqueue_mail(2) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert queue.enqueue_mail(3)
    assert waiting("letters") == 3


@pytest.mark.usefixtures("broker", "patience")
def test_receipts_share_a_message_until_a_worker_takes_it() -> None:
    assert all(queue.enqueue_receipt(number) for number in range(1, 6))
    assert waiting() == 1

    redis_client.client(settings.REDIS_URL).rpop("receipts")

    assert queue.enqueue_receipt(6)
    assert waiting() == 1


def test_one_that_is_asked_by_another_thread_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.broker_connection.PATIENCE", 0.01)
    connection = BrokerConnection()
    with connection._lock, pytest.raises(BrokerRestsError):
        connection.send("tasks.apply_receipt", (1,))


def test_a_frozen_server_is_asked_once_by_whoever_keeps_numbers_there(
    broker: Engines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_client, "TIMEOUT", 3.0)
    redis_client.client.cache_clear()
    client = redis_client.client(settings.REDIS_URL)
    client.ping()
    began = time.monotonic()
    with frozen(broker), pytest.raises(redis_client.redis.TimeoutError):
        client.ping()
    assert time.monotonic() - began < 4 * redis_client.TIMEOUT
