"""A service outside is pinged while all is well, and nothing that it does can be felt here."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from structlog.testing import capture_logs

from newsdesk.core import redis_client
from tasks.models import Batch, Send, Slot
from tasks.preparation import preparing
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.sends import control, finishing, heartbeat_pings
from tasks.slots import upkeep
from tasks.submission import recovery
from tests.factories import make_prepared_send, make_send
from tests.site import Site
from tests.tasks.slots.weekly import make_approved, make_weekly, recurring, slot_of
from tests.waiting import eventually

pytestmark = pytest.mark.django_db
PATHS = ("/ping/1", "/ping/1/start", "/ping/1/fail")


@pytest.fixture(autouse=True)
def watch(settings: Any, valkey_url: str) -> Iterator[Site]:
    """Healthchecks, as far as we know it."""
    with Site() as site:
        site.answers.update({path: (200, {}, b"OK") for path in PATHS})
        settings.HEARTBEAT_URL = f"{site.url}/ping/1"
        settings.REDIS_URL = valkey_url
        redis_client.client(valkey_url).flushall()
        yield site


def no_ping_runs() -> bool:
    return not any(thread.name == "heartbeat" for thread in threading.enumerate())


def pings(watch: Site) -> dict[str, int]:
    assert eventually(no_ping_runs)
    return dict(watch.asked)


def of_a_slot(send: Send) -> Send:
    publication = send.edition.publication
    Slot.objects.create(publication=publication, at=timezone.now(), edition=send.edition, send=send)
    return send


def test_each_sweep_is_reported_once_a_minute(watch: Site, transport: SendGridTransport, settings: Any) -> None:
    recovery.recover()
    recovery.recover()
    assert pings(watch) == {"/ping/1": 1}

    assert 0 < redis_client.client(settings.REDIS_URL).ttl(heartbeat_pings._KEY) <= 60
    redis_client.client(settings.REDIS_URL).delete(heartbeat_pings._KEY)
    recovery.recover()
    assert pings(watch) == {"/ping/1": 2}


def test_a_sweep_that_failed_is_not_reported(
    watch: Site, transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError

    monkeypatch.setattr(recovery, "release_abandoned", broken)
    with pytest.raises(RuntimeError):
        recovery.recover()
    assert pings(watch) == {}


def test_an_overdue_send_is_a_failure(watch: Site, transport: SendGridTransport) -> None:
    make_send(scheduled_at=timezone.now() - timedelta(minutes=6))

    recovery.recover()

    assert pings(watch) == {"/ping/1/fail": 1}


def test_the_send_of_a_slot_is_reported_at_its_start_and_its_end(
    watch: Site, django_capture_on_commit_callbacks: Any
) -> None:
    send = of_a_slot(make_send(2))
    with django_capture_on_commit_callbacks(execute=True):
        assert preparing.prepare(send.pk) is not None
    assert pings(watch) == {"/ping/1/start": 1}

    Batch.objects.filter(send=send).update(status=Batch.Status.SUBMITTED)
    with django_capture_on_commit_callbacks(execute=True):
        assert finishing.finish_if_done(send.pk)
    assert pings(watch) == {"/ping/1/start": 1, "/ping/1": 1}


def test_a_slots_send_that_pauses_itself_is_a_failure_and_a_persons_pause_is_not(
    watch: Site, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert control.pause(of_a_slot(make_prepared_send(1)).pk, "lunch", who="ada")
        assert control.pause(make_prepared_send(1).pk, "It belongs to no slot.")
    assert pings(watch) == {}

    with django_capture_on_commit_callbacks(execute=True):
        assert control.pause(of_a_slot(make_prepared_send(1)).pk, "The key is refused.")
    assert pings(watch) == {"/ping/1/fail": 1}


def test_a_missed_slot_is_a_failure(watch: Site, django_capture_on_commit_callbacks: Any) -> None:
    ahead = timedelta(hours=-1)
    publication = make_weekly(ahead=ahead)
    recurring(publication, late_minutes=30)
    make_approved(publication, slot_of(publication, ahead=ahead))
    with django_capture_on_commit_callbacks(execute=True):
        upkeep.keep_slots()
    assert pings(watch) == {"/ping/1/fail": 1}


def test_nobody_waits_for_an_address_that_does_not_answer(
    transport: SendGridTransport, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat_pings, "TIME", 8.0)
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        settings.HEARTBEAT_URL = f"http://127.0.0.1:{silent.getsockname()[1]}/ping/1"
        heartbeat_pings.swept()
        assert not no_ping_runs(), "it is still asking, and we are here"
        began = time.monotonic()
        assert eventually(no_ping_runs)
        assert time.monotonic() - began < 10 * heartbeat_pings.TIME


def test_what_goes_wrong_is_logged_without_the_secret_path(watch: Site) -> None:
    watch.answers["/ping/1"] = (404, {}, b"")
    with capture_logs() as logs:
        heartbeat_pings._ping(f"{watch.url}/ping/1", "", rarely=False)
        heartbeat_pings._ping("http://127.0.0.1:1/ping/1", "/start", rarely=False)
    assert [(line["event"], line["what"]) for line in logs] == [
        ("heartbeat_refused", ""),
        ("heartbeat_not_delivered", "/start"),
    ]
    assert "ping/1" not in str(logs)


def test_without_the_setting_nobody_is_told(watch: Site, transport: SendGridTransport, settings: Any) -> None:
    settings.HEARTBEAT_URL = ""
    recovery.recover()
    assert pings(watch) == {}
