"""A SendGrid of each test's own, and the transport that posts to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.options import SandboxOptions
from sandbox.server import Sandbox, running
from sandbox.webhook_settings import WebhookSettings
from tasks import transports
from tasks.transports.sendgrid import SendGridTransport

API_KEY = "SG.test"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "sandbox" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.integration)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    options = SandboxOptions(
        home=tmp_path / "sandbox", api_key=API_KEY, outbox=0, webhooks=WebhookSettings(withhold=True)
    )
    with running(options) as running_sandbox:
        yield running_sandbox


@pytest.fixture
def transport(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> SendGridTransport:
    made = SendGridTransport(api_key=API_KEY, host=sandbox.url, deadline=1.0)
    monkeypatch.setattr(transports, "get_transport", lambda: made)
    monkeypatch.setattr("tasks.sweeping.get_transport", lambda: made)
    return made


class Doorbells:
    """What was rung, instead of a broker."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        #: Countdowns of the rings for whatever is due.
        self.due: list[float] = []
        self.letters: list[int] = []
        self.waiting: int | None = 0
        self.broken = False

    def ring_batch(self, batch_id: int, *, countdown: float = 0) -> bool:
        if not self.broken:
            self.batches.append(batch_id)
        return not self.broken

    def ring_for_what_is_due(self, *, countdown: float = 0) -> bool:
        self.due.append(countdown)
        return not self.broken

    def ring_letter(self, letter_id: int, *, countdown: float = 0) -> bool:
        self.letters.append(letter_id)
        return True


@pytest.fixture(autouse=True)
def doorbells(monkeypatch: pytest.MonkeyPatch) -> Doorbells:
    """No broker in these tests: what Celery would carry is noted. The acceptance tests run the real one."""
    bells = Doorbells()
    monkeypatch.setattr("tasks.doorbells.ring_batch", bells.ring_batch)
    monkeypatch.setattr("tasks.doorbells.ring_for_what_is_due", bells.ring_for_what_is_due)
    monkeypatch.setattr("tasks.doorbells.ring_letter", bells.ring_letter)
    monkeypatch.setattr("tasks.doorbells.waiting_letters", lambda: 0)
    monkeypatch.setattr("tasks.doorbells.ring_send", lambda send_id: True)
    monkeypatch.setattr("tasks.doorbells.ring_receipt", lambda receipt_id: True)
    monkeypatch.setattr("tasks.doorbells.waiting_batches", lambda: bells.waiting)
    return bells


@pytest.fixture
def fault(sandbox: Sandbox) -> Any:
    """Makes the sandbox misbehave; takes a kind of fault and its fields."""
    return lambda kind, **fields: sandbox.faults.add([{"kind": kind, **fields}])
