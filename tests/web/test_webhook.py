import tempfile
import time
from base64 import b64encode
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest import mock

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import DatabaseError, connection
from django.test import Client
from pytest_django.fixtures import Settings
from sendgrid.helpers.eventwebhook import EventWebhook
from structlog.testing import capture_logs

from tasks import queue
from tasks.feedback import inbox
from tasks.feedback import refusals as refusals_module
from tasks.feedback.refusals import Refusals
from tasks.models import Receipt, WebhookState
from tasks.providers.sendgrid import webhook as sendgrid_webhook
from tasks.providers.sendgrid.signature import load_key
from tests.reports import SigningKey, make_world
from web import bodies
from web.watch import watch

pytestmark = pytest.mark.django_db

URL = "/webhooks/sendgrid"
KEY, OLD_KEY, STRANGER = SigningKey(), SigningKey(), SigningKey()
RSA_KEY = b64encode(
    rsa.generate_private_key(65537, 2048).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()
BODY = b'[{"email":"a@example.com","timestamp":1600112492,"event":"open"},\r\n{"event":"caf\xc3\xa9"}]\r\n'


@pytest.fixture(autouse=True)
def keys(settings: Settings) -> None:
    settings.SENDGRID_WEBHOOK_PUBLIC_KEYS = (OLD_KEY.public, KEY.public)
    settings.USE_SANDBOX = False


@pytest.fixture(autouse=True)
def refusals(monkeypatch: pytest.MonkeyPatch) -> Refusals:
    fresh = Refusals("sendgrid")
    monkeypatch.setattr("web.webhooks.refusals_of", lambda _provider: fresh)
    return fresh


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    rung: list[int] = []
    monkeypatch.setattr(queue, "enqueue_receipt", rung.append)
    return rung


def post(client: Client, body: bytes = BODY, *, url: str = URL, headers: dict[str, str] | None = None) -> int:
    response = client.post(url, body, content_type="application/json", headers={**KEY.headers(body), **(headers or {})})
    assert response.content == b""
    return response.status_code


def refused_at() -> Any:
    row = WebhookState.objects.filter(provider="sendgrid").first()
    return row.refused_at if row else None


def test_a_signed_call_is_stored_as_it_came_and_rung_for(client: Client, rung: list[int]) -> None:
    assert post(client) == 204

    receipt = Receipt.objects.get()
    assert bytes(receipt.body) == BODY
    assert rung == [receipt.pk]


@pytest.mark.parametrize("url", ["/webhooks/sendgrid", "/webhooks/sendgrid/"])
def test_it_answers_with_and_without_a_slash(client: Client, url: str) -> None:
    assert post(client, url=url) == 204


def test_it_asks_for_no_csrf_token_and_sets_no_cookie() -> None:
    client = Client(enforce_csrf_checks=True)

    assert post(client) == 204
    assert not client.cookies


def test_the_earlier_key_of_a_rotation_still_counts(client: Client) -> None:
    assert post(client, headers=OLD_KEY.headers(BODY)) == 204


def test_we_and_the_official_verifier_agree(client: Client) -> None:
    headers = KEY.headers(BODY)
    official = EventWebhook(KEY.public).verify_signature(BODY.decode(), *headers.values())

    assert official is True
    assert post(client) == 204


SIGNATURE, TIMESTAMP = sendgrid_webhook.SIGNATURE, sendgrid_webhook.TIMESTAMP


@pytest.mark.parametrize(
    "headers",
    [
        STRANGER.headers(BODY),
        KEY.headers(BODY[:-2]),
        {TIMESTAMP: "1600112503"},
        {TIMESTAMP: ""},
        {TIMESTAMP: "heute früh"},
        {SIGNATURE: ""},
        {SIGNATURE: "not base64!"},
        {SIGNATURE: "AAAA"},
        {SIGNATURE: "früh"},
        {SIGNATURE: KEY.headers(BODY)[SIGNATURE] + "\n="},
        {SIGNATURE: "A" * 10_000},
    ],
)
def test_anything_unsigned_is_refused_without_a_hint(client: Client, headers: dict[str, str]) -> None:
    assert post(client, headers=headers) == 403
    assert not Receipt.objects.exists()


def test_missing_headers_are_refused(client: Client) -> None:
    assert client.post(URL, BODY, content_type="application/json").status_code == 403


def test_another_way_of_writing_the_same_events_is_refused(client: Client) -> None:
    rewritten = orjson.dumps(orjson.loads(BODY))

    assert client.post(URL, rewritten, content_type="application/json", headers=KEY.headers(BODY)).status_code == 403


def test_a_replayed_call_is_taken_and_counts_once(client: Client) -> None:
    world = make_world()
    body = orjson.dumps([world.report(0, "delivered")])

    assert [post(client, body), post(client, body)] == [204, 204]

    from tasks.feedback import applying

    for receipt in Receipt.objects.all():
        applying.apply_receipt(receipt.pk)
    assert world.counts() == {"delivered": 1}


def test_only_posts_are_taken(client: Client) -> None:
    assert [client.get(URL).status_code, client.put(URL, BODY).status_code] == [405, 405]
    assert refused_at() is None


def test_a_large_body_is_taken(client: Client) -> None:
    body = (
        b"["
        + b",".join([b'{"event":"open","email":"reader@example.com","useragent":"' + b"x" * 400 + b'"}'] * 20_000)
        + b"]"
    )

    assert len(body) > 9_000_000
    assert post(client, body) == 204


def test_a_body_beyond_the_limit_is_refused(client: Client, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = len(BODY) - 1

    assert post(client) == 413
    assert refused_at() is not None


def test_a_strangers_body_beyond_the_limit_is_not_noted(client: Client, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = len(BODY) - 1

    assert client.post(URL, BODY, content_type="application/json").status_code == 413
    assert post(client, headers=STRANGER.headers(BODY)) == 413
    assert refused_at() is None


def test_our_own_fault_lets_the_provider_try_again(
    client: Client, monkeypatch: pytest.MonkeyPatch, rung: list[int]
) -> None:
    monkeypatch.setattr(inbox, "store", mock.Mock(side_effect=DatabaseError("disk full")))

    assert post(client) == 503
    assert refused_at() is not None
    assert rung == []


def test_no_room_for_a_large_body_lets_the_provider_try_again(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    body = orjson.dumps([{"event": "open", "email": "reader@example.com", "useragent": "x" * bodies.MOST_IN_MEMORY}])
    with monkeypatch.context() as full:
        full.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
        assert post(client, body) == 503
    assert refused_at() is not None

    assert post(client, body) == 204
    assert bytes(Receipt.objects.get().body) == body


def test_an_unforeseen_error_is_noted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "store", mock.Mock(side_effect=MemoryError))

    response = Client(raise_request_exception=False).post(
        URL, BODY, content_type="application/json", headers=KEY.headers(BODY)
    )

    assert response.status_code == 500
    assert refused_at() is not None


def test_without_any_key_it_is_our_fault(client: Client, settings: Settings) -> None:
    settings.SENDGRID_WEBHOOK_PUBLIC_KEYS = ()

    assert post(client) == 503
    assert refused_at() is not None


def test_an_unusable_key_does_not_hide_the_good_one(client: Client, settings: Settings) -> None:
    settings.SENDGRID_WEBHOOK_PUBLIC_KEYS = ("nonsense", "QUJD", KEY.public)

    assert post(client) == 204


@pytest.mark.parametrize(
    "key", [KEY.public[:40] + "!" + KEY.public[40:], "QUJD", RSA_KEY], ids=["a letter too many", "no key", "RSA"]
)
def test_a_key_that_is_none_is_told_of_and_its_calls_are_refused(client: Client, settings: Settings, key: str) -> None:
    settings.SENDGRID_WEBHOOK_PUBLIC_KEYS = (key,)
    load_key.cache_clear()

    with capture_logs() as logs:
        assert post(client) == 403

    assert [entry["key"] for entry in logs if entry["event"] == "webhook_key_unusable"] == [key[:16]]


def test_the_sandbox_may_make_its_key_after_the_start(client: Client, settings: Settings, tmp_path: Path) -> None:
    settings.SENDGRID_WEBHOOK_PUBLIC_KEYS = ()
    settings.USE_SANDBOX = True
    settings.HOME = type(settings.HOME)(tmp_path)
    assert post(client) == 503

    settings.HOME.sandbox.mkdir()
    settings.HOME.sandbox.joinpath("webhook-public-key").write_text(KEY.public + "\n")

    assert post(client) == 204


def refuse(client: Client) -> None:
    """A signed call that we cannot take."""
    with mock.patch.object(inbox, "store", side_effect=DatabaseError("disk full")):
        assert post(client) == 503


class TestRefusals:
    """Every call that we could not take keeps silence from being believed; a stranger's does not."""

    def test_a_refusal_is_noted_for_every_key(self, client: Client) -> None:
        refuse(client)

        assert refused_at() is not None

    def test_a_strangers_call_is_not_noted(self, client: Client) -> None:
        assert post(client, headers=STRANGER.headers(BODY)) == 403

        assert refused_at() is None

    def test_what_nobody_looked_at_is_noted_with_the_next_call(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as away:
            away.setattr(type(watch), "database_is_away", True)
            assert client.post(URL, BODY, content_type="application/json").status_code == 503
            assert client.post("/webhooks/nobody", BODY, content_type="application/json").status_code == 503
        assert refused_at() is None

        assert post(client) == 204

        assert refused_at() is not None

    def test_an_accepted_call_is_no_refusal(self, client: Client) -> None:
        post(client)

        assert refused_at() is None

    def test_a_flood_writes_once_and_its_note_covers_the_second(self, client: Client) -> None:
        refuse(client)
        first = refused_at()
        for _ in range(5):
            refuse(client)

        assert refused_at() == first
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s > now()", [first])
            assert cursor.fetchone() == (True,)

    def test_what_could_not_be_written_is_written_with_the_next_call(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as away:
            away.setattr(refusals_module, "connection", mock.Mock(**{"cursor.side_effect": DatabaseError("gone")}))
            refuse(client)
        assert refused_at() is None

        later = time.monotonic() + 600
        monkeypatch.setattr("tasks.feedback.refusals.time.monotonic", lambda: later)
        assert post(client) == 204
        with connection.cursor() as cursor:
            cursor.execute("SELECT now() - %s BETWEEN '590 seconds' AND '610 seconds'", [refused_at()])
            assert cursor.fetchone() == (True,), "it is dated when it happened"


def test_a_stored_receipt_is_on_disk_even_where_commits_are_relaxed() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        inbox.store(BytesIO(b"[]"), provider="sendgrid")
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("on",)
