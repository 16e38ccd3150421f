import json
import os
import re
import signal
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from newsdesk.core import last_recovery, redis_client
from tasks.models import Send
from tasks.submission import recovery
from tests import factories
from tests.waiting import eventually
from web import watch as watching
from web.watch import Watch, watch

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def no_memory() -> None:
    watch.forget()


def ask(client: Client) -> tuple[int, dict[str, Any]]:
    response = client.get("/healthz")
    assert "no-store" in response["Cache-Control"]
    return response.status_code, json.loads(response.content)


@pytest.mark.django_db
def test_without_a_worker_it_says_so(client: Client, valkey_url: str) -> None:
    redis_client.client(valkey_url).flushdb()
    all_but = {
        "database": "ok",
        "broker": "ok",
        "worker": "no answer",
        "beat": "no answer",
        "sends": "ok",
        "disk": "ok",
    }
    assert ask(client) == (503, all_but)


@pytest.mark.django_db
def test_without_a_broker_nobody_waits_for_a_worker(client: Client, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "REDIS_URL", f"redis+socket://{tmp_path}/absent.sock?virtual_host=0")
        status, answers = ask(client)
    assert status == 503
    assert answers == dict.fromkeys(("broker", "worker", "beat"), "no answer") | dict.fromkeys(
        ("database", "sends", "disk"), "ok"
    )


@pytest.mark.django_db(transaction=True)
def test_without_a_database_it_says_so(client: Client, valkey_url: str) -> None:
    connection.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connection.settings_dict, "PORT", "1")
        status, answers = ask(client)
    connection.close()
    assert status == 503
    assert (answers["database"], answers["sends"]) == ("no answer", "unknown")


@pytest.mark.django_db
def test_recovery_shows_that_beat_lives_and_its_age_that_it_does_not(client: Client, valkey_url: str) -> None:
    recovery.recover()
    assert ask(client)[1]["beat"] == "ok"
    redis_client.client(valkey_url).pexpire("newsdesk:swept", int((last_recovery._KEPT - 75) * 1000))
    watch.forget()
    told = re.fullmatch(r"last seen (\d+) s ago", ask(client)[1]["beat"])
    assert told
    assert 75 <= int(told[1]) < 95


@pytest.mark.django_db
def test_an_overdue_send_is_told(client: Client, valkey_url: str) -> None:
    send = factories.make_send(1, status=Send.Status.SCHEDULED)
    Send.objects.filter(pk=send.pk).update(scheduled_at=timezone.now() - timedelta(seconds=200))
    assert ask(client)[1]["sends"].startswith("one is 20")


def test_all_that_is_essential_makes_it_healthy(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "look_at_database", lambda: {"database": "ok", "sends": "one is 300 s late"})
    monkeypatch.setattr(watching, "look_at_broker", lambda: {"broker": "ok", "beat": "ok"})
    monkeypatch.setattr(watching, "worker_answers", lambda: True)
    assert ask(client) == (
        200,
        {"database": "ok", "broker": "ok", "worker": "ok", "beat": "ok", "sends": "one is 300 s late", "disk": "ok"},
    )


def test_a_good_answer_of_a_worker_holds_for_a_while_and_a_bad_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([False, True, False])
    monkeypatch.setattr(watching, "look_at_database", lambda: {"database": "ok", "sends": "ok"})
    monkeypatch.setattr(watching, "look_at_broker", lambda: {"broker": "ok", "beat": "ok"})
    monkeypatch.setattr(watching, "worker_answers", lambda: next(answers))
    looking = Watch()
    assert [looking.state()["worker"] for _ in range(3)] == ["no answer", "ok", "ok"]
    looking.forget()
    assert looking.state()["worker"] == "no answer"


def test_what_its_threads_saw_is_told_while_they_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    stands_still, looks = threading.Event(), []

    def look() -> dict[str, str]:
        looks.append(1)
        if len(looks) > 1:
            stands_still.wait()
        return {"database": "ok", "sends": "ok"}

    monkeypatch.setattr(watching, "look_at_database", look)
    monkeypatch.setattr(watching, "look_at_broker", lambda: {"broker": "ok", "beat": "ok"})
    monkeypatch.setattr(watching, "worker_answers", lambda: True)
    looking = Watch()
    looking.start()
    try:
        assert eventually(lambda: set(looking.state().values()) == {"ok"})
        looking.doubt()
        assert eventually(lambda: len(looks) > 1)
        assert set(looking.state().values()) == {"ok"}
        assert not looking.database_is_away
    finally:
        looking.stop()
        stands_still.set()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_stands_still_is_away_within_its_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "DATABASE_PATIENCE", 0.5)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert watching.look_at_database() == {"database": "no answer", "sends": "unknown"}
        assert time.monotonic() - began < 10
    finally:
        os.kill(pid, signal.SIGCONT)
    connection.close()
    assert watching.look_at_database() == {"database": "ok", "sends": "ok"}


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_only_answers_questions(client: Client, method: str) -> None:
    assert getattr(client, method)("/healthz").status_code == 405
