"""Requests while the database is away, stands still or is full, and while the desk is busy."""

import os
import signal
import time
from collections.abc import Iterator

import pytest
from django.contrib.auth import get_user_model
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from newsdesk.core.postgres import patience
from subscribers.models import Subscription
from tasks.models import Receipt
from tests.reports import SigningKey, make_world
from tests.web.test_unsubscribe_page import ONE_CLICK, token
from web import availability
from web.availability import Availability
from web.watch import watch

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

KEY = SigningKey()
BODY = b'[{"email":"a@example.com","timestamp":1600112492,"event":"open"}]'


@pytest.fixture
def away() -> Iterator[None]:
    """No connection can be made."""
    connection.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connection.settings_dict, "PORT", "1")
        yield
    connection.close()


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The server's process behind the connection takes what is sent and answers nothing."""
    monkeypatch.setattr(availability, "SECONDS", 0.5)
    monkeypatch.setattr(availability, "DESK_SECONDS", 0.5)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)
    connection.close()


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


@pytest.fixture
def paths(settings: object) -> dict[str, tuple[str, bytes, dict[str, str]]]:
    settings.SENDGRID_WEBHOOK_PUBLIC_KEYS, settings.USE_SANDBOX = (KEY.public,), False  # type: ignore[attr-defined]
    world = make_world(1)
    link = token(world)
    return {
        "unsubscribe": (f"/u/{link}", ONE_CLICK.encode(), {}),
        "preferences": (f"/p/{link}", b"", {}),
        "webhook": ("/webhooks/sendgrid", BODY, KEY.headers(BODY)),
    }


def post_all(client: Client, paths: dict[str, tuple[str, bytes, dict[str, str]]]) -> dict[str, int]:
    answers = {}
    for name, (path, body, headers) in paths.items():
        response = client.post(path, body, content_type="application/x-www-form-urlencoded", headers=headers)
        assert response.status_code < 500 or int(response["Retry-After"]) > 0
        answers[name] = response.status_code
    return answers


def test_away_it_is_503_and_nothing_is_lost_afterwards(
    client: Client, paths: dict[str, tuple[str, bytes, dict[str, str]]], request: pytest.FixtureRequest
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    request.getfixturevalue("away")
    assert post_all(client, paths) == dict.fromkeys(paths, 503)
    for page in ("/", "/weekly/", paths["unsubscribe"][0]):
        response = client.get(page)
        assert (response.status_code, response["Refresh"]) == (503, "5")
        assert b"tries again by itself" in response.content


def test_standing_still_it_is_503_in_bounded_time(
    client: Client, paths: dict[str, tuple[str, bytes, dict[str, str]]], request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("frozen")
    began = time.monotonic()
    path, body, _ = paths["unsubscribe"]
    assert client.post(path, body, content_type="application/x-www-form-urlencoded").status_code == 503
    assert time.monotonic() - began < 10
    # Its connection is given up: the next one is answered.
    assert post_all(client, paths) == {"unsubscribe": 200, "preferences": 200, "webhook": 204}
    assert Receipt.objects.count() == 1
    assert set(Subscription.objects.values_list("status", flat=True)) == {"unsubscribed"}


@pytest.mark.parametrize("how", ["away", "frozen"])
def test_a_session_that_cannot_be_read_is_503_too(client: Client, request: pytest.FixtureRequest, how: str) -> None:
    client.force_login(get_user_model().objects.create_superuser("ed", "ed@example.com", "-"))
    request.getfixturevalue(how)
    assert client.get("/desk/").status_code == 503


def test_another_error_is_still_500(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.watch.watch.state", lambda: 1 / 0)
    assert client.get("/healthz").status_code == 500


def test_what_is_known_to_be_away_is_not_asked(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_is_running", True)
    monkeypatch.setattr(watch, "_of_database", {"database": "no answer"})
    connection.close()
    response = client.post("/webhooks/sendgrid", BODY, content_type="application/json")
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert b"Nothing was changed" in response.content
    assert connection.connection is None
    assert client.get("/healthz").status_code == 503


@pytest.mark.parametrize("error", [OperationalError("no space left"), InterfaceError("closed")])
def test_whatever_the_database_cannot_do_is_503(error: Exception) -> None:
    def view(_request: HttpRequest) -> HttpResponse:
        raise error

    middleware = Availability(view)
    answer = middleware.process_exception(RequestFactory().get("/weekly/"), error)
    assert answer is not None
    assert answer.status_code == 503
    assert middleware.process_exception(RequestFactory().get("/weekly/"), ValueError()) is None


def test_the_desk_never_has_all_threads() -> None:
    inside: list[int] = []

    def view(request: HttpRequest) -> HttpResponse:
        if request.path == "/desk/preview/" and len(inside) < availability.DESK_AT_ONCE:
            inside.append(1)
            # As if it were still at work while the next one comes.
            inner = middleware(RequestFactory().get("/desk/preview/"))
            if len(inside) == availability.DESK_AT_ONCE and inner.status_code == 503:
                assert middleware(RequestFactory().get("/u/token")).status_code == 200
                inside.append(1)
        return HttpResponse()

    middleware = Availability(view)
    assert middleware(RequestFactory().get("/desk/preview/")).status_code == 200
    assert len(inside) == availability.DESK_AT_ONCE + 1
    # All seats are free again.
    assert middleware(RequestFactory().get("/desk/preview/")).status_code == 200


def test_a_request_has_only_so_long_and_the_server_knows() -> None:
    connection.close()
    with patience.at_most(20), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
        assert cursor.fetchone() == ("55s", "10s")
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
        assert cursor.fetchone() == ("0", "0")
        with patience.at_most(0.3), pytest.raises(OperationalError, match="did not answer in time"):
            cursor.execute("SELECT pg_sleep(30)")
    assert connection.connection is None or connection.connection.closed
    connection.close()


def test_who_has_no_time_left_does_not_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    monkeypatch.setattr(connection.Database, "connect", lambda **_: pytest.fail("it connects"))
    with patience.at_most(0), pytest.raises(OperationalError, match="no time left"):
        connection.ensure_connection()
