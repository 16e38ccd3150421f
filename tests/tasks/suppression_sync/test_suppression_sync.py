"""What SendGrid's lists say, against ours, with a real server that pages, refuses and breaks off."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest
import urllib3
from django.db import connection
from django.utils import timezone

from newsdesk.core.advisory_locks import AdvisoryLock
from sandbox.server import Sandbox
from subscribers import preferences
from subscribers.models import Consent, Subscription, Suppression
from subscribers.suppression import suppress
from tasks.models import Alarm, Event, SuppressionSync
from tasks.providers.base import ListUnavailableError
from tasks.providers.file.transport import FileTransport
from tasks.providers.sendgrid.suppressions import _entries
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.suppression_sync import syncing
from tasks.suppression_sync.summary import summary
from tasks.suppression_sync.syncing import sync
from tests import factories
from tests.reports import World, deliver, make_world, suppressions

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

Fill = Callable[..., None]


@pytest.fixture
def fill(sandbox: Sandbox) -> Fill:
    """Put addresses on one of SendGrid's lists, `age` seconds ago."""

    def put(kind: str, *addresses: str, age: float = 60, reason: str = "") -> None:
        with sandbox.ledger.writing() as ledger:
            for address in addresses:
                sandbox._state.suppressions.add(ledger, kind, address, reason=reason)
                ledger.execute(
                    "UPDATE suppression SET created = ? WHERE kind = ? AND address = ?",
                    (int(time.time() - age), kind, address),
                )

    return put


def again(days: float = 1) -> None:
    """As if the syncs so far had been that many days ago."""
    for done in SuppressionSync.objects.all():
        done.started_at -= timedelta(days=days)
        done.save()


def numbers(done: SuppressionSync | None, name: str = "bounces") -> tuple[int, int, int, int]:
    assert done is not None
    assert done.finished_at is not None, done.error
    result = summary(done)["lists"][name]
    return result["theirs"], result["known"], result["added"], result["freed"]


def test_what_we_lack_is_added_with_its_source(transport: SendGridTransport, fill: Fill) -> None:
    fill("bounces", "gone@example.com", reason="550 5.1.1 no such user")
    fill("spam_reports", "angry@example.com")
    fill("invalid_emails", "no-address@example.com")
    fill("blocks", "later@example.com")

    done = sync(transport)

    assert suppressions() == {
        ("gone@example.com", "hard_bounce", None),
        ("angry@example.com", "complaint", None),
        ("no-address@example.com", "invalid", None),
    }
    today = timezone.now().strftime("%Y-%m-%d")
    detail = Suppression.objects.get(reason="hard_bounce").detail
    assert detail == f"SendGrid's list, {today}: 550 5.1.1 no such user"
    assert numbers(done) == (1, 0, 1, 0)


def test_an_unsubscribe_there_holds_for_every_publication_here(transport: SendGridTransport, fill: Fill) -> None:
    lists = [factories.make_list(factories.make_publication()) for _ in range(3)]
    reader = factories.make_subscriber(lists[0])
    Subscription.objects.create(subscriber=reader, list=lists[1], status="active")
    fill("unsubscribes", reader.email, "stranger@example.com")

    done = sync(transport)

    assert suppressions() == {(reader.email, "unsubscribed", each.publication_id) for each in lists[:2]}
    assert set(Subscription.objects.values_list("status", flat=True)) == {"unsubscribed"}
    assert Consent.objects.filter(kind="withdrawn").first().source.startswith("SendGrid's list, ")  # type: ignore[union-attr]
    assert numbers(done, "unsubscribes") == (2, 1, 1, 0)


def test_lists_of_many_pages_are_read_to_their_end(transport: SendGridTransport, fill: Fill) -> None:
    fill("bounces", *(f"gone{number}@example.com" for number in range(1203)))

    assert numbers(sync(transport)) == (1203, 0, 1203, 0)
    assert numbers(sync(transport)) == (1203, 1203, 0, 0)
    assert Suppression.objects.count() == 1203


def test_only_what_is_newer_than_the_last_time_is_read_again(transport: SendGridTransport, fill: Fill) -> None:
    fill("bounces", "old@example.com", age=9 * 86400)
    fill("bounces", "new@example.com", age=86400)
    assert numbers(sync(transport)) == (2, 0, 2, 0)

    assert numbers(sync(transport)) == (1, 1, 0, 0)


@pytest.fixture
def world(db: None) -> World:
    return make_world(2, prepared_at=timezone.now() - timedelta(hours=2))


def test_a_lost_webhook_is_healed(world: World, transport: SendGridTransport, fill: Fill) -> None:
    fill("bounces", *(reader.email for reader in world.readers))
    deliver(world.report(1, "bounce", type="bounce"))

    done = sync(transport)

    assert numbers(done) == (2, 1, 1, 0)
    assert done is not None
    assert summary(done)["lists"]["bounces"]["lost"] == 1
    assert suppressions() == {(reader.email, "hard_bounce", None) for reader in world.readers}


def test_who_was_set_free_after_we_had_heard_stays_free(world: World, transport: SendGridTransport, fill: Fill) -> None:
    deliver(world.report(0, "bounce", type="bounce"))
    Suppression.objects.all().delete()
    fill("bounces", world.readers[0].email)

    assert numbers(sync(transport)) == (1, 0, 0, 1)
    assert suppressions() == set()


def test_who_was_set_free_after_a_sync_stays_free(transport: SendGridTransport, fill: Fill) -> None:
    fill("bounces", "free@example.com")
    assert numbers(sync(transport)) == (1, 0, 1, 0)
    Suppression.objects.all().delete()

    for _ in range(3):
        assert numbers(sync(transport)) == (1, 0, 0, 1)
        again(0.5)
    again(5)
    fill("bounces", "free@example.com", age=1)
    assert numbers(sync(transport)) == (1, 0, 1, 0), "it bounced once more"


def test_who_subscribed_again_stays(world: World, transport: SendGridTransport, fill: Fill) -> None:
    reader = world.readers[0]
    publication = world.send.edition.publication_id
    fill("unsubscribes", reader.email, age=3600)
    suppress(reader.email, "unsubscribed", publication_id=publication)
    on = Subscription.objects.get(subscriber=reader)
    Subscription.objects.filter(pk=on.pk).update(status="unsubscribed")
    preferences.choose(reader.pk, publication, [on.list_id], source="preferences")

    assert numbers(sync(transport), "unsubscribes") == (1, 0, 0, 1)
    assert Subscription.objects.get(pk=on.pk).status == "active"


def test_an_old_bounce_is_no_trace_of_a_new_one(world: World, transport: SendGridTransport, fill: Fill) -> None:
    deliver(world.report(0, "bounce", type="bounce"))
    Event.objects.update(at=timezone.now() - timedelta(days=3))
    Suppression.objects.all().delete()
    fill("bounces", world.readers[0].email)

    assert numbers(sync(transport)) == (1, 0, 1, 0)


def test_an_erased_address_is_not_written_down_again(transport: SendGridTransport, fill: Fill) -> None:
    suppress("gone@example.com", "erased")
    fill("bounces", "gone@example.com")

    assert numbers(sync(transport)) == (1, 1, 0, 0)
    assert {reason for _, reason, _ in suppressions()} == {"erased"}


def test_many_lost_webhooks_raise_an_alarm(transport: SendGridTransport, fill: Fill) -> None:
    world = make_world(6, prepared_at=timezone.now() - timedelta(hours=2))
    fill("bounces", *(f"stranger{number}@example.com" for number in range(400)))
    fill("spam_reports", *(reader.email for reader in world.readers[:5]))
    sync(transport)
    assert not Alarm.objects.exists()

    again()
    fill("bounces", *(reader.email for reader in world.readers))
    sync(transport)

    assert Alarm.objects.get().code == "suppressions_missing"
    assert " 6 of our readers" in Alarm.objects.get().message


# Errors


class Door:
    """Stands before the sandbox: passes requests on, or gives the answers it was given."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.statuses: list[int] = []
        self.paths: list[str] = []
        door = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                door.paths.append(self.path)
                status = door.statuses.pop(0) if door.statuses else 0
                if status == -1:
                    self.close_connection = True
                    return
                headers = {"Authorization": self.headers["Authorization"]}
                body, extra = b'{"errors": [{"message": "not now"}]}', {"Retry-After": "7"}
                if not status:
                    answer = urllib3.request("GET", sandbox.url + self.path, headers=headers)
                    status, body, extra = answer.status, answer.data, {}
                self.send_response(status)
                for name, value in {**extra, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        self.transport = SendGridTransport(api_key="SG.test", host=f"http://127.0.0.1:{self._server.server_port}")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def door(sandbox: Sandbox) -> Iterator[Door]:
    made = Door(sandbox)
    yield made
    made.close()


def test_a_busy_server_is_asked_again(door: Door, fill: Fill) -> None:
    fill("bounces", "gone@example.com")
    door.statuses = [429, 503, 0, -1]
    waits: list[float] = []

    done = sync(door.transport, wait=waits.append)

    assert numbers(done) == (1, 0, 1, 0)
    assert waits == [7, 7, 2]


def test_an_error_in_the_middle_loses_nothing(door: Door, fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    fill("bounces", *(f"gone{number}@example.com" for number in range(700)), age=30 * 86400)
    first = sync(door.transport)
    assert numbers(first) == (700, 0, 700, 0)
    Suppression.objects.all().delete()
    again(40)
    door.statuses = [0, 500, 500, 500]

    broken = sync(door.transport, wait=lambda _: None)

    assert broken is not None
    assert broken.finished_at is None
    assert "HTTP 500" in broken.error
    assert Suppression.objects.count() == 500
    third = sync(door.transport)
    assert numbers(third) == (700, 500, 200, 0)
    assert Suppression.objects.count() == 700


def test_a_key_that_may_not_read_is_an_error_and_not_tried_again(door: Door) -> None:
    door.statuses = [403]

    done = sync(door.transport, wait=lambda _: None)

    assert done is not None
    assert "HTTP 403" in done.error
    assert len(door.paths) == 1


@pytest.mark.parametrize("answer", [b"[", b'{"x": 1}', b"[1]", b'[{"email": "a@example.com"}]'])
def test_an_answer_that_is_no_list_is_an_error(answer: bytes) -> None:
    with pytest.raises(ListUnavailableError):
        _entries("bounces", answer)


def test_a_night_that_is_too_short_goes_on_where_it_stopped(
    door: Door, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill("bounces", *(f"gone{number}@example.com" for number in range(501)))
    monkeypatch.setattr(syncing, "get_transport", lambda: door.transport)
    monkeypatch.setattr(syncing, "NIGHTLY_SECONDS", -1.0)
    enqueued: list[Any] = []
    monkeypatch.setattr("tasks.queue.enqueue_suppression_sync", lambda: enqueued.append(1))

    syncing.sync_nightly()
    stopped = SuppressionSync.objects.get()
    assert (stopped.finished_at, stopped.error, len(enqueued)) == (None, "", 1)
    monkeypatch.setattr(syncing, "NIGHTLY_SECONDS", 60.0)
    syncing.sync_nightly()

    assert numbers(SuppressionSync.objects.get()) == (501, 0, 501, 0)
    assert len(enqueued) == 1


def test_two_at_once_sync_once(transport: SendGridTransport) -> None:
    connection.ensure_connection()
    with psycopg.connect(connection.connection.info.dsn) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [AdvisoryLock.SUPPRESSION_SYNC.key])
        assert sync(transport) is None
        other.execute("SELECT pg_advisory_unlock(%s)", [AdvisoryLock.SUPPRESSION_SYNC.key])
    assert sync(transport) is not None


def test_other_transports_have_nothing_to_sync(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    transport = FileTransport(tmp_path)
    monkeypatch.setattr(syncing, "get_transport", lambda: transport)
    syncing.sync_nightly()
    assert sync(transport) is None
    assert not SuppressionSync.objects.exists()
