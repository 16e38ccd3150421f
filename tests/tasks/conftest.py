"""A SendGrid of each test's own, and the transport that posts to it."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from sandbox.options import SandboxOptions
from sandbox.server import Sandbox, running
from sandbox.webhook_settings import WebhookSettings
from tasks.providers import registry
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.submission import building
from tests.waiting import LONG, eventually

API_KEY = "SG.test"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "sandbox" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.integration)


@pytest.fixture(autouse=True)
def no_variant_remembered() -> None:
    """A process remembers bytes by ids that never come again; in the new database after a test that commits they do."""
    building._variant.cache_clear()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    options = SandboxOptions(
        home=tmp_path / "sandbox", api_key=API_KEY, outbox=0, webhooks=WebhookSettings(withhold=True)
    )
    with running(options) as running_sandbox:
        yield running_sandbox


@pytest.fixture
def transport(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> SendGridTransport:
    made = SendGridTransport(api_key=API_KEY, host=sandbox.url, deadline=LONG, question_deadline=LONG)
    monkeypatch.setitem(registry._transports, os.getpid(), made)
    return made


class FakeQueue:
    """What was enqueued, instead of a broker: no message is sent, and none is taken."""

    def __init__(self) -> None:
        #: (task name, arguments, countdown in seconds) of each message, in order.
        self.messages: list[tuple[str, tuple[int, ...], float]] = []
        #: What the broker says of how many messages wait; None = it does not answer.
        self.waiting: int | None = 0
        #: The same for transactional mails.
        self.waiting_mails: int | None = 0
        #: The same for receipts.
        self.waiting_receipts: int | None = 0
        #: The same for what beat has enqueued.
        self.waiting_errands: int | None = 0
        self.broken = False

    @property
    def batches(self) -> list[int]:
        """Batches for which a worker was woken."""
        return [batch for batch in self._of("tasks.submit_batch") if batch]

    @property
    def loops(self) -> list[float]:
        """Countdowns of the wake-ups for whatever is due."""
        return [countdown for task, args, countdown in self.messages if (task, args) == ("tasks.submit_batch", (0,))]

    @property
    def mails(self) -> list[int]:
        return self._of("tasks.submit_letter")

    @property
    def sends(self) -> list[int]:
        return self._of("tasks.prepare_send")

    @property
    def receipts(self) -> list[int]:
        return self._of("tasks.apply_receipt")

    def _of(self, name: str) -> list[int]:
        return [args[0] for task, args, _ in self.messages if task == name]

    def enqueue(self, task: str, *args: int, countdown: float = 0, unless_waiting_in: str = "") -> bool:
        del unless_waiting_in
        if not self.broken:
            self.messages.append((task, args, countdown))
        return not self.broken

    def count(self, queue: str) -> int | None:
        return {
            "batches": self.waiting,
            "letters": self.waiting_mails,
            "receipts": self.waiting_receipts,
            "errands": self.waiting_errands,
        }[queue]


@pytest.fixture(autouse=True)
def fake_queue(monkeypatch: pytest.MonkeyPatch) -> FakeQueue:
    """No broker in these tests: what Celery would carry is noted. The acceptance tests run the real one."""
    fake = FakeQueue()
    monkeypatch.setattr("tasks.queue._enqueue", fake.enqueue)
    monkeypatch.setattr("tasks.queue._waiting", fake.count)
    return fake


class _EarlyWatchdog:
    """Stands in for the one thread that ends requests at their deadline: here the deadline is when something is so."""

    def __init__(self, is_time: Callable[[], object]) -> None:
        self._is_time = is_time

    def call_in(self, seconds: float, function: Callable[[], object]) -> int:
        del seconds
        threading.Thread(target=lambda: eventually(self._is_time) and function(), daemon=True).start()
        return 0

    def forget(self, number: int) -> None:
        """Hanging up on a connection that is closed already does nothing."""


@pytest.fixture
def deadline_once_it_hangs(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deadline of the one request passes when the sandbox has taken it and a fault has struck."""
    struck = lambda: any(fault["struck"] for fault in sandbox.faults.as_json())  # noqa: E731 - it is one question
    monkeypatch.setattr("tasks.http.deadline.watchdog", _EarlyWatchdog(struck))


@pytest.fixture
def fault(sandbox: Sandbox) -> Any:
    """Makes the sandbox misbehave; takes a kind of fault and its fields."""
    return lambda kind, **fields: sandbox.faults.add([{"kind": kind, **fields}])


@pytest.fixture
def another(transactional_db: None) -> Iterator[Any]:
    """Another connection, in a transaction of its own."""
    other = connections.create_connection("default")
    try:
        other.ensure_connection()
        other.set_autocommit(False)
        yield other.cursor()
    finally:
        other.close()
