"""Sessions, second factors, and what is asked for again before something that cannot be taken back."""

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.test import Client

from composer.models import Membership
from newsdesk.core.login_environment import LoginEnvironment
from tests.factories import make_publication
from web.accounts import sessions
from web.accounts.recent_login import recently_authenticated

pytestmark = [pytest.mark.django_db, pytest.mark.integration]

LOGIN = "/desk/login/"
SECURITY = "/desk/security/"
PASSWORD = "correct horse battery"
#: As a browser asks for what an open page wants by itself.
BY_ITSELF = {"Sec-Fetch-Dest": "empty"}


@pytest.fixture(autouse=True)
def unlimited(settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = False


@pytest.fixture
def ada() -> Any:
    return get_user_model().objects.create_superuser("ada", "ada@example.com", PASSWORD)


@pytest.fixture
def login(settings: Any) -> Any:
    def change(**fields: Any) -> None:
        settings.LOGIN = LoginEnvironment(**fields)

    return change


def logged_in(password: str = PASSWORD) -> Client:
    client = Client()
    assert client.post(LOGIN, {"username": "ada", "password": password}).status_code == 302
    return client


def inside(client: Client) -> bool:
    return client.get("/desk/").status_code == 200


def test_sessions_are_listed_and_ended(ada: Any) -> None:
    here, elsewhere = logged_in(), logged_in()
    assert inside(elsewhere)

    page = here.get(f"{SECURITY}sessions/").content.decode()
    assert page.count("127.0.0.1") == 2
    here.post(f"{SECURITY}sessions/")

    assert inside(here)
    assert not inside(elsewhere)


def test_a_changed_password_ends_the_other_sessions(ada: Any) -> None:
    here, elsewhere = logged_in(), logged_in()

    answer = here.post(
        f"{SECURITY}password/",
        {"oldpassword": PASSWORD, "password1": "another fine day", "password2": "another fine day"},
    )

    assert answer["Location"] == SECURITY
    assert inside(here)
    assert not inside(elsewhere)
    assert inside(logged_in("another fine day"))


def test_an_idle_session_ends_and_says_so(ada: Any, login: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [time.time()]
    monkeypatch.setattr(sessions.time, "time", lambda: now[0])
    login(idle_minutes=10)
    client = logged_in()
    assert inside(client)
    for _ in range(3):
        now[0] += 500
        assert inside(client)

    # An open page that asks by itself is nobody at work.
    now[0] += 500
    client.get("/desk/", headers=BY_ITSELF)
    now[0] += 200
    answer = client.get("/desk/stories/", follow=True)

    assert answer.redirect_chain[0][0] == f"{LOGIN}?next=%2Fdesk%2Fstories%2F"
    assert "nothing was done for a while" in answer.content.decode()
    assert not inside(client)


def test_without_a_limit_no_session_is_idle(ada: Any, login: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [time.time()]
    monkeypatch.setattr(sessions.time, "time", lambda: now[0])
    login(idle_minutes=0)
    client = logged_in()
    assert inside(client)
    now[0] += 600_000
    assert inside(client)


@pytest.mark.parametrize("named", ["all", "superusers", "publisher"])
def test_a_second_factor_is_demanded(ada: Any, login: Any, named: str) -> None:
    Membership.objects.create(user=ada, publication=make_publication(), role="publisher")
    login(require_mfa=frozenset({named}))
    client = logged_in()

    for address in ("/desk/", "/desk/stories/", "/desk/users/"):
        assert client.get(address)["Location"] == SECURITY
    page = client.get(SECURITY).content.decode()
    assert "Your account needs a second factor" in page
    assert client.get(f"{SECURITY}totp/activate/").status_code == 200

    TOTP.activate(ada, generate_totp_secret())
    assert inside(client)


def test_of_others_no_second_factor_is_demanded(ada: Any, login: Any) -> None:
    login(require_mfa=frozenset({"analyst"}))
    assert inside(logged_in())


def test_a_password_alone_does_not_pass_a_second_factor(ada: Any) -> None:
    TOTP.activate(ada, generate_totp_secret())
    client = Client()

    answer = client.post(LOGIN, {"username": "ada", "password": PASSWORD})

    assert answer["Location"].startswith(f"{SECURITY}authenticate/")
    assert not inside(client)
    client.post(f"{SECURITY}authenticate/", {"code": "000000"})
    assert not inside(client)


def test_a_recovery_code_works_once(ada: Any) -> None:
    client = logged_in()
    TOTP.activate(ada, generate_totp_secret())
    client.post(f"{SECURITY}recovery-codes/generate/")
    code = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()[0]

    def enter() -> Client:
        entering = Client()
        entering.post(LOGIN, {"username": "ada", "password": PASSWORD})
        entering.post(f"{SECURITY}authenticate/", {"code": code})
        return entering

    assert inside(enter())
    assert not inside(enter())


def test_second_factors_are_set_up_after_a_recent_login_only(ada: Any, client: Client) -> None:
    client.force_login(ada)

    answer = client.get(f"{SECURITY}totp/activate/")

    assert answer["Location"].startswith(f"{SECURITY}confirm/")


def test_what_cannot_be_taken_back_asks_for_the_password(ada: Any, rf: Any) -> None:
    @recently_authenticated
    def export(_request: HttpRequest) -> HttpResponse:
        return HttpResponse("done")

    from allauth.core.exceptions import ReauthenticationRequired

    request = rf.post("/desk/export/")
    request.user, request.session = ada, Client().session
    with pytest.raises(ReauthenticationRequired):
        export(request)
    request.session = logged_in().session
    assert export(request).content == b"done"
    request.session["account_authentication_methods"][-1]["at"] -= 901
    with pytest.raises(ReauthenticationRequired):
        export(request)


def test_the_account_page_leads_to_security(ada: Any) -> None:
    page = logged_in().get("/desk/account/").content.decode()

    assert f'href="{SECURITY}"' in page
    assert "Security" in page


def test_wagtail_s_own_password_pages_are_closed(ada: Any) -> None:
    client = logged_in()
    assert client.get("/desk/password_reset/confirm/MQ/set-password/").status_code == 404
    assert "old_password" not in client.get("/desk/account/").content.decode()
