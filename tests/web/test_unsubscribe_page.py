import re
from base64 import b64encode
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from django.http.response import HttpResponseBase
from django.test import Client

from subscribers import reader_links
from subscribers.models import Consent, Subscription
from subscribers.tokens import LinkKind
from tasks.database import high_water
from tasks.feedback import unsubscribing
from tasks.models import Delivery
from tests import factories
from tests.reports import World, make_world, state, suppressions

pytestmark = pytest.mark.django_db

ONE_CLICK = "List-Unsubscribe=One-Click"


@pytest.fixture
def world() -> World:
    return make_world(2)


@pytest.fixture
def url(world: World) -> str:
    return f"/u/{token(world)}"


@pytest.fixture
def provider() -> Client:
    """A mail provider: no cookies, no CSRF token."""
    return Client(enforce_csrf_checks=True)


def token(world: World, *, reader: int = 0, kind: LinkKind = LinkKind.UNSUBSCRIBE) -> str:
    publication_id = world.send.edition.publication_id
    return reader_links.signer(high_water.installation()).sign(
        kind, publication_id, world.send.pk, world.readers[reader].pk
    )


def test_a_link_is_read_once_the_database_is_another_installations(
    world: World, provider: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dump was restored beneath the web, whose workers sign for the installation that is there now."""
    url = f"/u/{token(world)}"
    monkeypatch.setattr(high_water, "_installation", ["6f1c0d5e-5f0b-4a3e-9d57-0e4f6c1f7b3a"])

    assert provider.post(url, ONE_CLICK, "application/x-www-form-urlencoded").status_code == 200

    assert left(world)


def everything() -> tuple[Any, ...]:
    return state(), list(Consent.objects.values_list()), list(Subscription.objects.order_by("pk").values_list())


def left(world: World) -> bool:
    reader, publication_id = world.readers[0], world.send.edition.publication_id
    return (
        suppressions() == {(reader.email, "unsubscribed", publication_id)}
        and Subscription.objects.get(subscriber=reader).status == "unsubscribed"
        and world.counts() == {"unsubscribed": 1}
        and world.seen(0) == Delivery.Seen.UNSUBSCRIBED
    )


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_looking_changes_nothing(client: Client, world: World, url: str, method: str, slash: str) -> None:
    before = everything()

    response = getattr(client, method)(url + slash)

    assert response.status_code == 200
    assert everything() == before


def test_the_page_leads_to_single_lists(client: Client, world: World, url: str) -> None:
    found = re.search(r'href="(/p/[^"]+)"', client.get(url).content.decode())

    assert found
    assert "Your subscriptions" in client.get(found[1]).content.decode()


def test_the_page_has_one_button_and_the_publications_language(client: Client, world: World, url: str) -> None:
    publication = world.send.edition.publication
    publication.title, publication.language, publication.direction = "نشرة <الأسبوع>", "ar", "rtl"
    publication.save()

    html = client.get(url).content.decode()

    assert html.count("<button") == 1
    assert '<html lang="ar" dir="rtl">' in html
    assert "نشرة &lt;الأسبوع&gt;" in html


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (ONE_CLICK, "application/x-www-form-urlencoded"),
        (
            '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
        ("", "application/x-www-form-urlencoded"),
        ("{}", "application/json"),
        ("--broken", "multipart/form-data; boundary=y"),
        ("no boundary", "multipart/form-data"),
        ("a=1&" * 20_000, "application/x-www-form-urlencoded"),
        ("%ff=%fe", "application/x-www-form-urlencoded; charset=utf-7"),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_any_post_unsubscribes(
    provider: Client, world: World, url: str, body: str, content_type: str, slash: str
) -> None:
    response = provider.post(url + slash, body, content_type=content_type)

    assert response.status_code == 200
    assert "Set-Cookie" not in response
    assert not provider.cookies
    assert left(world)


def test_a_second_time_is_answered_alike_and_counts_once(provider: Client, world: World, url: str) -> None:
    answers = [provider.post(url, ONE_CLICK, content_type="application/x-www-form-urlencoded") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len({answer.content for answer in answers}) == 1
    assert left(world)
    assert Consent.objects.filter(kind="withdrawn").count() == 1


def test_an_event_about_the_same_unsubscribe_does_not_count_it_again(provider: Client, world: World, url: str) -> None:
    from tests.reports import deliver

    provider.post(url)
    deliver(world.report(0, "unsubscribe"))

    assert left(world)


@pytest.mark.parametrize(
    ("data", "source"), [({"List-Unsubscribe": "One-Click"}, "one-click"), ({}, "unsubscribe page")]
)
def test_the_proof_says_where_it_came_from(
    provider: Client, world: World, url: str, data: dict[str, str], source: str
) -> None:
    provider.post(url, data)

    assert Consent.objects.get(kind="withdrawn").source == source


def test_a_wrong_token_is_not_found_without_a_hint(provider: Client, world: World) -> None:
    good = token(world)
    publication_gone = reader_links.signer(high_water.installation()).sign(
        LinkKind.UNSUBSCRIBE, 999_999, world.send.pk, world.readers[0].pk
    )
    wrong = [
        "x",
        good[:-1],
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        good + "A",
        good.swapcase(),
        "é" * 44,
        publication_gone,
        token(world, kind=LinkKind.CONFIRM),
    ]
    before = everything()

    answers = [getattr(provider, method)(f"/u/{tried}") for tried in wrong for method in ("get", "post")]

    assert {(answer.status_code, answer.content) for answer in answers} == {(404, b"Not found\n")}
    assert everything() == before


@pytest.mark.parametrize("subscriber_id", [0, 987_654])
def test_a_link_without_a_reader_is_answered_and_changes_nothing(
    provider: Client, world: World, subscriber_id: int
) -> None:
    """A test mail's link, and that of a reader who has been erased."""
    test_mail = reader_links.signer(high_water.installation()).sign(
        LinkKind.UNSUBSCRIBE, world.send.edition.publication_id, 0, subscriber_id
    )
    before = everything()

    assert provider.post(f"/u/{test_mail}", {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert everything() == before


def test_another_publication_of_the_same_reader_stays(provider: Client, world: World, url: str) -> None:
    other = factories.make_list(factories.make_publication())
    Subscription.objects.create(subscriber=world.readers[0], list=other, status="active")

    provider.post(url)

    assert Subscription.objects.get(list=other).status == "active"


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_other_methods_are_not_allowed(provider: Client, world: World, url: str, method: str) -> None:
    before = everything()

    assert getattr(provider, method)(url).status_code == 405
    assert everything() == before


def strictly_private(response: HttpResponseBase) -> None:
    policy = response["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["Cache-Control"] == "no-store"
    assert response["X-Robots-Tag"] == "noindex"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert not response.cookies


def test_nothing_about_the_reader_leaks(provider: Client, world: World, url: str) -> None:
    for path in (url, f"/p/{token(world)}"):
        for response in (provider.get(path), provider.post(path)):
            strictly_private(response)
            html = response.content.decode()
            assert world.readers[0].email not in html
            assert "<script" not in html
            style = re.search(r"<style>(.*)</style>", html, re.DOTALL)
            assert style is not None
            assert b64encode(sha256(style[1].encode()).digest()).decode() in response["Content-Security-Policy"]
    assert provider.get("/u/x")["Cache-Control"] == "no-store"


def test_who_leaves_while_the_deliveries_are_locked_has_left(
    provider: Client, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while they are sealed: an answer of 503 might be the last that is heard of them."""
    monkeypatch.setattr(unsubscribing, "_COUNT_WITHIN", "SET LOCAL lock_timeout = '200ms'")
    world = make_world(2)
    with psycopg.connect(database_url) as sealing:
        sealing.execute("LOCK TABLE tasks_delivery IN ACCESS EXCLUSIVE MODE")

        answer = provider.post(f"/u/{token(world)}", ONE_CLICK, content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 200
    reader = world.readers[0]
    assert suppressions() == {(reader.email, "unsubscribed", world.send.edition.publication_id)}
    assert Subscription.objects.get(subscriber=reader).status == "unsubscribed"
    assert world.counts() == {}
