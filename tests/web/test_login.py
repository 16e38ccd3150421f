"""Logging in: by name and password, limited, the same for those who exist and those who do not."""

import time
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.integration]

LOGIN = "/desk/login/"
WRONG = "The username or the password is wrong."
TOO_MANY = "Too many wrong passwords"


@pytest.fixture(autouse=True)
def counted_in_valkey(valkey_url: str) -> None:
    """Limits are counted where all processes see them; no test sees another's counts."""
    import redis

    from newsdesk.core import redis_client

    client: redis.Redis = redis_client.client(valkey_url)
    client.flushdb()
    cache.clear()


@pytest.fixture
def ada() -> Any:
    return get_user_model().objects.create_superuser("ada", "ada@example.com", "correct horse")


def log_in(client: Client, username: str, password: str, **more: Any) -> Any:
    return client.post(LOGIN, {"username": username, "password": password}, **more)


def test_a_login_lands_in_the_desk(client: Client, ada: Any) -> None:
    answer = log_in(client, "ada", "correct horse")

    assert answer.status_code == 302
    assert answer["Location"] == "/desk/"
    assert client.get("/desk/").status_code == 200
    ada.refresh_from_db()
    assert ada.password.startswith("argon2")


def test_it_goes_where_one_wanted_to_go_and_nowhere_else(client: Client, ada: Any) -> None:
    asked = client.get("/desk/stories/")
    assert asked["Location"] == f"{LOGIN}?next=/desk/stories/"
    assert 'name="username"' in client.get(LOGIN).content.decode()
    inside = client.post(LOGIN, {"username": "ada", "password": "correct horse", "next": "/desk/stories/"})
    assert inside["Location"] == "/desk/stories/"
    for foreign in ("https://evil.example.com/", "//evil.example.com/"):
        answer = Client().post(LOGIN, {"username": "ada", "password": "correct horse", "next": foreign})
        assert answer["Location"] == "/desk/"


def test_an_older_password_hash_becomes_argon2(client: Client, ada: Any) -> None:
    ada.password = make_password("correct horse", hasher="pbkdf2_sha256")
    ada.save()

    log_in(client, "ada", "correct horse")

    ada.refresh_from_db()
    assert ada.password.startswith("argon2")


def test_the_answer_does_not_tell_who_exists(client: Client, ada: Any) -> None:
    known, unknown = log_in(client, "ada", "wrong"), log_in(client, "nobody", "wrong")

    assert WRONG in known.content.decode()
    assert WRONG in unknown.content.decode()
    assert known.status_code == unknown.status_code == 200


def test_the_time_does_not_tell_who_exists(ada: Any, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": None, "login": None}
    client = Client()

    def fastest(username: str) -> float:
        """Seconds of this process: what else the machine does must not count."""
        taken = []
        for _ in range(7):
            start = time.process_time()
            log_in(client, username, "wrong")
            taken.append(time.process_time() - start)
        return min(taken)

    fastest("ada")
    known, unknown = fastest("ada"), fastest("nobody")
    assert unknown > 0.5 * known


def test_guessing_one_account_s_password_is_slowed(client: Client, ada: Any) -> None:
    checked = sum(WRONG in log_in(client, "ada", f"guess {n}").content.decode() for n in range(12))

    assert checked == 5
    # Neither does the right one tell that it is right.
    limited = log_in(client, "ada", "correct horse")
    assert TOO_MANY in limited.content.decode()
    assert client.get("/desk/").status_code == 302


def test_the_account_is_slowed_from_everywhere(ada: Any) -> None:
    checked = sum(
        WRONG in log_in(Client(), "ada", "guess", REMOTE_ADDR=f"203.0.113.{n}").content.decode() for n in range(12)
    )

    assert checked == 5


def test_one_address_is_slowed_for_all_accounts(client: Client, ada: Any) -> None:
    checked = sum(WRONG in log_in(client, f"name{n}", "guess").content.decode() for n in range(30))

    assert checked == 20
    assert log_in(Client(), "ada", "correct horse", REMOTE_ADDR="203.0.113.9").status_code == 302


def test_each_round_of_guesses_waits_longer(ada: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [time.time()]
    monkeypatch.setattr("allauth.core.internal.ratelimit.time.time", lambda: now[0])
    client = Client()

    def checked(seconds: float) -> int:
        now[0] += seconds
        return sum(WRONG in log_in(client, "ada", f"guess {n}").content.decode() for n in range(8))

    assert [checked(0), checked(61), checked(61), checked(900)] == [5, 5, 0, 5]


def test_nobody_makes_an_account(client: Client, db: None) -> None:
    for address in ("/desk/signup/", "/desk/security/signup/", "/accounts/signup/", "/signup/"):
        assert client.get(address, follow=True).status_code in {404, 200}
        assert client.post(address, {"username": "eve", "password1": "correct horse"}).status_code in {
            302,
            403,
            404,
            405,
        }
    assert not get_user_model().objects.exists()


def test_who_may_not_use_the_desk_is_told_so_and_not_sent_in_circles(client: Client, db: None) -> None:
    get_user_model().objects.create_user("bob", "bob@example.com", "correct horse")

    answer = client.post(LOGIN, {"username": "bob", "password": "correct horse"}, follow=True)

    assert "This account may not use the desk" in answer.content.decode()
    assert len(answer.redirect_chain) == 2
