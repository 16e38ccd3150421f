"""A provider is added by a folder and nothing else: `example/postbox`, which docs/how-to/add-a-provider.md goes through."""

from collections.abc import Iterator
from importlib import import_module, invalidate_caches
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

import tasks.providers
from newsdesk.core import environment, paths
from subscribers.models import Suppression
from tasks.feedback import applying
from tasks.models import Attempt, Event, Receipt, WebhookState
from tasks.providers import registry
from tasks.providers.base import SuppressedAddress
from tasks.sends.counts import counts
from tasks.submission import worker_loop
from tasks.suppression_sync.summary import summary
from tasks.suppression_sync.syncing import sync
from tests.factories import make_prepared_send

EXAMPLE = Path(__file__).parent / "example"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def postbox(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Any]:
    """The folder, as if it lay in tasks/providers, and the setting that chooses it."""
    monkeypatch.setattr(tasks.providers, "__path__", [*tasks.providers.__path__, str(EXAMPLE)])
    invalidate_caches()
    registry.provider.cache_clear()
    registry._transports.clear()
    settings.NEWSDESK_TRANSPORT = "postbox"
    transport = import_module("tasks.providers.postbox.transport").PostboxTransport
    transport.sent.clear()
    yield transport
    registry.provider.cache_clear()
    registry._transports.clear()


def post(client: Client, body: bytes, signature: str | None = None) -> int:
    signed = import_module("tasks.providers.postbox.webhook").signature_of(body) if signature is None else signature
    headers = {"X-Postbox-Signature": signed}
    return client.post("/webhooks/postbox", body, content_type="text/plain", headers=headers).status_code


def test_mail_goes_out_and_its_events_come_back(postbox: Any, client: Client) -> None:
    send = make_prepared_send(3)
    worker_loop.run_worker_loop(transport=registry.get_transport())
    assert counts(send).submitted == 3

    lines = [
        f"{word} {mail['delivery']} {mail['attempt']} {mail['to']}"
        for word, mail in zip(("read", "returned", "sang"), postbox.sent, strict=True)
    ]
    assert post(client, "\n".join(lines).encode()) == 204
    applying.apply_waiting()

    assert (counts(send).delivered, counts(send).bounced) == (1, 1)
    assert Suppression.objects.get().address == postbox.sent[1]["to"]
    assert sorted(Event.objects.values_list("kind", flat=True)) == ["delivered", "hard_bounce", "other"]
    assert Attempt.objects.get().heard == 2


def test_whom_it_refuses_by_name_fails_alone(postbox: Any) -> None:
    send = make_prepared_send(3)
    from subscribers.models import Subscriber

    first = Subscriber.objects.order_by("pk").first()
    assert first is not None
    Subscriber.objects.filter(pk=first.pk).update(email="nobody@example.com")

    for _ in range(2):
        worker_loop.run_worker_loop(transport=registry.get_transport())

    assert (counts(send).submitted, counts(send).failed) == (2, 1)


def test_what_it_did_not_sign_is_refused_and_spoils_no_silence(client: Client) -> None:
    assert post(client, b"read 1.1 x y", signature="forged") == 403

    assert not Receipt.objects.exists()
    assert not WebhookState.objects.exists()


def test_its_lists_heal_a_lost_webhook(postbox: Any) -> None:
    lists = import_module("tasks.providers.postbox.suppressions").PostboxSuppressionLists
    addresses = [f"gone{number}@example.com" for number in range(3)]
    lists.returned[:] = [SuppressedAddress(address, 1_700_000_000, "no such box") for address in addresses]

    done = sync(registry.get_transport())

    assert done is not None
    assert summary(done)["lists"] == {"returned": {"theirs": 3, "known": 0, "added": 3, "freed": 0, "lost": 0}}
    rows = Suppression.objects.order_by("address").values_list("address", "reason", "detail")
    assert [(address, reason) for address, reason, _ in rows] == [(address, "hard_bounce") for address in addresses]
    assert all(detail.startswith("Postbox's list") for _, _, detail in rows)


def test_a_provider_without_a_webhook_has_no_address(client: Client) -> None:
    assert client.post("/webhooks/smtp", b"", content_type="text/plain").status_code == 404
    assert client.post("/webhooks/nobody", b"", content_type="text/plain").status_code == 404


def test_people_are_told_its_name() -> None:
    assert registry.title_of("postbox:example") == "Postbox"
    assert registry.title_of("gone:1") == "The provider"
    assert registry.reports("postbox:example")
    assert not registry.reports("smtp:1")


def test_the_setting_names_the_folders_there_are() -> None:
    assert paths.provider_names() == ("file", "sendgrid", "smtp")
    with pytest.raises(environment.EnvironmentVariableError, match="file, sendgrid, smtp"):
        environment.read({"NEWSDESK_TRANSPORT": "pigeon"})
