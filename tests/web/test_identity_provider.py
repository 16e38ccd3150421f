"""Logging in through an organisation's own identity provider, a real one on this machine: whom it opens the desk to, and whom not."""

import re
import time
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.test import Client
from structlog.testing import capture_logs

from newsdesk.core.login_environment import IdentityProvider, LoginEnvironment
from tests.openid_provider import CLIENT, SECRET, OpenIdProvider, running
from tests.waiting import LONG

pytestmark = [pytest.mark.django_db, pytest.mark.integration]

START, LOGIN = "/desk/login/organisation/", "/desk/login/"
CALLBACK = f"{START}callback/"
ADA = {"sub": "ada-1", "email": "Ada@Example.com", "email_verified": True}


@pytest.fixture(scope="module")
def server() -> Iterator[OpenIdProvider]:
    with running() as provider:
        yield provider


@pytest.fixture
def provider(server: OpenIdProvider, settings: Any) -> OpenIdProvider:
    settings.ACCOUNT_RATE_LIMITS = False
    fresh = OpenIdProvider(url=server.url, person=dict(ADA))
    server.__dict__.update(vars(fresh))
    configure(settings, server)
    return server


def configure(settings: Any, provider: OpenIdProvider, **more: Any) -> None:
    known = {
        "url": provider.url,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "name": "Harbour ID",
        **more.pop("known", {}),
    }
    settings.LOGIN = LoginEnvironment(identity_provider=IdentityProvider(**known), **more)


@pytest.fixture
def ada() -> Any:
    return get_user_model().objects.create_superuser("ada", "ada@example.com")


def sent_away(client: Client, **form: str) -> str:
    """The provider's address to which the page leads on."""
    page = client.post(START, form).content.decode()
    (target,) = re.findall(r'http-equiv="refresh" content="0; url=([^"]+)"', page)
    return unescape(target)


def log_in(client: Client, provider: OpenIdProvider, **form: str) -> Any:
    """As a browser does it: there, and back with the code."""
    back = urlsplit(requests.get(sent_away(client, **form), allow_redirects=False, timeout=LONG).headers["Location"])
    return client.get(f"{back.path}?{back.query}")


def is_inside(client: Client) -> bool:
    return client.get("/desk/").status_code == 200


def refusal(client: Client, answer: Any) -> str:
    assert (answer.status_code, urlsplit(answer["Location"]).path) == (302, LOGIN)
    assert not is_inside(client)
    page = client.get(LOGIN).content.decode()
    return "unknown" if "no account here has the address" in page else "failed" if "did not work" in page else page


def test_without_a_provider_there_is_nothing(client: Client, db: None) -> None:
    assert "Sign in with your" not in client.get(LOGIN).content.decode()
    assert {client.get(path).status_code for path in (START, CALLBACK)} == {404}
    assert client.post(START).status_code == 404


def test_who_has_an_account_gets_in_and_where_they_wanted_to_go(
    client: Client, ada: Any, provider: OpenIdProvider
) -> None:
    get_user_model().objects.update(password=(password := make_password("correct horse", hasher="pbkdf2_sha256")))
    assert "Sign in with Harbour ID" in client.get(f"{LOGIN}?next=/desk/stories/").content.decode()

    answer = log_in(client, provider, next="/desk/stories/")

    assert answer["Location"] == "/desk/stories/"
    assert is_inside(client)
    tied = SocialAccount.objects.get()
    assert (tied.user, tied.uid, tied.extra_data) == (ada, "ada-1", {})
    # And again, by the provider's name for the person.
    again = Client()
    log_in(again, provider, next="https://evil.example.com/")
    assert is_inside(again)
    assert SocialAccount.objects.count() == 1
    ada.refresh_from_db()
    assert ada.password == password, "a password of hers stays"


def test_it_asks_for_what_the_standard_wants(client: Client, provider: OpenIdProvider, settings: Any) -> None:
    settings.BASE_URL = "https://news.example.com"
    target = urlsplit(sent_away(client))
    asked = dict(parse_qsl(target.query))

    assert f"{target.scheme}://{target.netloc}" == provider.url
    assert asked["redirect_uri"] == f"https://news.example.com{CALLBACK}"
    assert (asked["response_type"], asked["code_challenge_method"], asked["client_id"]) == ("code", "S256", CLIENT)
    assert {"openid", "email"} <= set(asked["scope"].split())
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 16


@pytest.mark.parametrize(
    "person",
    [
        {**ADA, "email": "eve@example.com"},
        {**ADA, "email_verified": False},
        {**ADA, "email_verified": "true"},
        {"sub": "ada-1", "email": "ada@example.com"},
        {"sub": "ada-1"},
        {**ADA, "email": "ada@example.com, eve@example.com"},
    ],
)
def test_who_has_no_account_with_a_verified_address_stays_outside(
    client: Client, ada: Any, provider: OpenIdProvider, person: dict[str, Any]
) -> None:
    provider.person, provider.userinfo = person, {"sub": "ada-1"}

    assert refusal(client, log_in(client, provider)) == "unknown"
    assert get_user_model().objects.get() == ada
    assert not SocialAccount.objects.exists()


def test_accounts_that_are_closed_or_doubled_open_to_nobody(client: Client, ada: Any, provider: OpenIdProvider) -> None:
    other = get_user_model().objects.create_user("bob", "ADA@example.com")
    assert refusal(client, log_in(client, provider)) == "unknown"
    other.delete()
    ada.is_active = False
    ada.save()
    assert refusal(client, log_in(client, provider)) == "unknown"


def test_an_address_that_somebody_else_got_does_not_open_the_account(
    client: Client, ada: Any, provider: OpenIdProvider
) -> None:
    log_in(Client(), provider)
    provider.person = {**ADA, "sub": "successor"}
    assert refusal(client, log_in(client, provider)) == "unknown"

    # Nor does an account that was given another address open to who had it.
    get_user_model().objects.update(email="successor@example.com")
    provider.person = dict(ADA)
    assert refusal(client, log_in(client, provider)) == "unknown"


def test_domains_of_the_settings_are_the_only_ones_and_need_no_word(
    client: Client, ada: Any, provider: OpenIdProvider, settings: Any
) -> None:
    configure(settings, provider, known={"domains": frozenset({"example.org"})})
    assert refusal(client, log_in(client, provider)) == "unknown"
    configure(settings, provider, known={"domains": frozenset({"example.com"})})
    provider.person = {"sub": "ada-1", "email": "ada@example.com"}
    log_in(client, provider)
    assert is_inside(client)


def test_an_address_may_come_from_userinfo_of_the_same_person_only(
    client: Client, ada: Any, provider: OpenIdProvider
) -> None:
    provider.person = {"sub": "ada-1"}
    provider.userinfo = {**ADA, "sub": "somebody"}
    assert refusal(client, log_in(client, provider)) == "failed"
    provider.userinfo = dict(ADA)
    log_in(client, provider)
    assert is_inside(client)


@pytest.mark.parametrize(
    ("lies", "more"),
    [
        ({"iss": "https://evil.example.com"}, {}),
        ({"aud": "another"}, {}),
        ({"aud": ["newsdesk", "another"], "azp": "another"}, {}),
        ({"exp": 1_600_000_000}, {}),
        ({"nonce": "of another login"}, {}),
        ({"nonce": None}, {}),
        ({"sub": None}, {}),
        ({"sub": "x" * 500}, {}),
        ({"email": ["ada@example.com"]}, {}),
        ({"auth_time": "yesterday"}, {}),
        ({}, {"signs_with": "unpublished"}),
        ({}, {"algorithm": "none"}),
        ({}, {"algorithm": "HS256"}),
        ({}, {"broken": {"/token": b'{"access_token":"x"}'}}),
        ({}, {"broken": {"/token": b'{"access_token":"x","id_token":"a.b"}'}}),
        ({}, {"broken": {"/token": b"[]"}}),
        ({}, {"broken": {"/keys": b"{}"}}),
        ({}, {"broken": {"/keys": b'{"keys":[{"kty":"oct"}]}'}}),
        ({}, {"broken": {"/keys": b"<html>"}}),
    ],
)
def test_a_token_that_is_not_good_opens_nothing(
    client: Client, ada: Any, provider: OpenIdProvider, lies: dict[str, Any], more: dict[str, Any]
) -> None:
    provider.lies = lies
    provider.__dict__.update(more)

    assert refusal(client, log_in(client, provider)) in {"failed", "unknown"}
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("config", [b"<html>", b"[]", b"{}", b'{"issuer":"https://evil.example.com"}', b'{"issuer":5}'])
def test_a_provider_that_makes_no_sense_is_told_of(client: Client, provider: OpenIdProvider, config: bytes) -> None:
    provider.broken = {"/.well-known/openid-configuration": config}
    assert refusal(client, client.post(START)) == "failed"


def test_a_provider_that_is_down_is_told_of(client: Client, provider: OpenIdProvider, settings: Any) -> None:
    configure(settings, provider, known={"url": "http://127.0.0.1:1"})
    with capture_logs() as logs:
        assert refusal(client, client.post(START)) == "failed"
    (told,) = (entry for entry in logs if entry["event"] == "organisation_login_failed")
    assert "ConnectionError" in told["error"]


def test_what_the_provider_says_against_a_login_is_in_the_log(client: Client, provider: OpenIdProvider) -> None:
    with capture_logs() as logs:
        refusal(client, client.get(f"{CALLBACK}?error=access_denied"))
    assert [entry["event"] for entry in logs if "organisation" in entry["event"]] == ["organisation_login_failed"]


def test_a_code_is_good_once_and_for_the_browser_that_asked(client: Client, ada: Any, provider: OpenIdProvider) -> None:
    asked = dict(parse_qsl(urlsplit(sent_away(client)).query))
    back = provider.authorize(asked).replace("http://testserver", "")
    path = f"{urlsplit(back).path}?{urlsplit(back).query}"
    victim = Client()
    assert refusal(victim, victim.get(path)) == "failed"
    assert client.get(path).status_code == 302
    assert is_inside(client)
    again = Client()
    assert refusal(again, again.get(path)) == "failed"
    for query in ("", "?error=access_denied", "?code=x&state=y"):
        assert refusal(again, again.get(f"{CALLBACK}{query}")) == "failed"


def test_second_factors_are_asked_for_here_too(
    client: Client, ada: Any, provider: OpenIdProvider, settings: Any
) -> None:
    configure(settings, provider, require_mfa=frozenset({"superusers"}))
    log_in(client, provider)
    assert client.get("/desk/")["Location"] == "/desk/security/"

    TOTP.activate(ada, generate_totp_secret())
    assert Authenticator.objects.exists()
    second = Client()
    assert second.get(log_in(second, provider)["Location"]).status_code == 200
    assert not is_inside(second)


def test_what_cannot_be_taken_back_needs_a_fresh_look_at_the_provider(
    client: Client, ada: Any, provider: OpenIdProvider
) -> None:
    # The provider does not say when it last asked for a password: that may be weeks ago.
    log_in(client, provider)
    form = {"full_name": "Bob", "email": "bob@example.com", "role-all": "writer"}
    asked = client.post("/desk/team/add/", form)
    assert urlsplit(asked["Location"]).path == START
    target = sent_away(client, next="/desk/team/add/")
    wanted = dict(parse_qsl(urlsplit(target).query))
    assert (wanted["prompt"], wanted["max_age"]) == ("login", "0")

    # Whoever takes these two out of the address gets no further.
    stale = dict(wanted)
    del stale["max_age"]
    provider.lies = {"auth_time": int(time.time()) - 4000}
    back = urlsplit(provider.authorize(stale))
    assert client.get(f"{back.path}?{back.query}")["Location"].startswith("/desk/")
    assert client.post("/desk/team/add/", form).status_code == 302
    assert not get_user_model().objects.filter(email="bob@example.com").exists()

    # Nor does somebody else at the provider.
    provider.lies = {"sub": "eve", "email": "eve@example.com"}
    log_in(client, provider, next="/desk/team/add/")
    assert not get_user_model().objects.filter(email="bob@example.com").exists()

    provider.lies = {}
    client.post("/desk/team/add/", form)
    log_in(client, provider, next="/desk/team/add/")
    assert get_user_model().objects.filter(email="bob@example.com").exists(), "the form is sent as it was"
