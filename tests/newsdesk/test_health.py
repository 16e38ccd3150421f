import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from web import health

pytestmark = pytest.mark.integration


@pytest.fixture
def no_memory() -> None:
    health.remembered_worker.forget()


def ask(client: Client) -> tuple[int, dict[str, Any]]:
    response = client.get("/healthz")
    assert "no-store" in response["Cache-Control"]
    return response.status_code, json.loads(response.content)


@pytest.mark.django_db
def test_without_a_worker_it_says_so(client: Client, valkey_url: str, no_memory: None) -> None:
    assert ask(client) == (503, {"database": "ok", "broker": "ok", "worker": "no answer"})


@pytest.mark.django_db
def test_without_a_broker_nobody_waits_for_a_worker(client: Client, no_memory: None, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "REDIS_URL", f"redis+socket://{tmp_path}/absent.sock?virtual_host=0")
        assert ask(client) == (503, {"database": "ok", "broker": "no answer", "worker": "no answer"})


@pytest.mark.django_db(transaction=True)
def test_without_a_database_it_says_so(client: Client, valkey_url: str, no_memory: None) -> None:
    connection.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connection.settings_dict, "PORT", "1")
        status, answers = ask(client)
    connection.close()
    assert status == 503
    assert answers["database"] == "no answer"


def test_a_good_answer_holds_for_a_while_and_a_bad_one_does_not() -> None:
    answers = iter([False, True, False])
    remembered = health.Remembered(lambda: next(answers), 60)
    assert [remembered(), remembered(), remembered()] == [False, True, True]
    remembered.forget()
    assert not remembered()


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_only_answers_questions(client: Client, method: str) -> None:
    assert getattr(client, method)("/healthz").status_code == 405
