import pytest
from django.test import Client

from composer.models import Publication
from subscribers import reader_links
from subscribers.models import Consent, List, Subscriber, Subscription
from subscribers.suppression import suppress, unsubscribe
from subscribers.tokens import LinkKind
from tasks.database import high_water
from tests import factories
from tests.reports import make_world, suppressions

pytestmark = pytest.mark.django_db


@pytest.fixture
def publication() -> Publication:
    return factories.make_publication()


@pytest.fixture
def lists(publication: Publication) -> dict[str, List]:
    return {slug: factories.make_list(publication, slug) for slug in ("weekly", "daily", "staff")}


@pytest.fixture
def reader(lists: dict[str, List]) -> Subscriber:
    reader = factories.make_subscriber(lists["weekly"])
    Subscription.objects.create(subscriber=reader, list=lists["daily"], status="unsubscribed")
    return reader


def url(publication: Publication, reader: Subscriber, send_id: int = 0) -> str:
    return f"/p/{reader_links.signer(high_water.installation()).sign(LinkKind.PREFERENCES, publication.pk, send_id, reader.pk)}"


def status(reader: Subscriber) -> dict[str, str]:
    return dict(Subscription.objects.filter(subscriber=reader).values_list("list__slug", "status"))


def test_it_shows_the_readers_lists_and_no_other(
    client: Client, publication: Publication, lists: dict[str, List], reader: Subscriber
) -> None:
    html = client.get(url(publication, reader)).content.decode()

    assert f'value="{lists["weekly"].pk}" checked>' in html
    assert f'value="{lists["daily"].pk}">' in html
    assert "Staff" not in html
    assert status(reader) == {"weekly": "active", "daily": "unsubscribed"}


def test_saving_joins_and_leaves_with_proof(
    client: Client, publication: Publication, lists: dict[str, List], reader: Subscriber
) -> None:
    response = client.post(url(publication, reader), {"list": [lists["daily"].pk, lists["staff"].pk, "x", "9" * 30]})

    assert response.status_code == 200
    assert "Saved." in response.content.decode()
    assert status(reader) == {"weekly": "unsubscribed", "daily": "active"}
    assert set(Consent.objects.values_list("list__slug", "kind", "source")) == {
        ("weekly", "withdrawn", "preferences page"),
        ("daily", "given", "preferences page"),
    }
    assert suppressions() == set()


def test_saving_twice_is_proven_once(
    client: Client, publication: Publication, lists: dict[str, List], reader: Subscriber
) -> None:
    for _ in range(2):
        client.post(url(publication, reader), {"list": [lists["daily"].pk]})

    assert Consent.objects.count() == 2


def test_no_tick_is_an_unsubscribe_and_counts_for_its_send(client: Client) -> None:
    world = make_world()
    publication, reader = world.send.edition.publication, world.readers[0]

    client.post(url(publication, reader, world.send.pk), {})

    assert suppressions() == {(reader.email, "unsubscribed", publication.pk)}
    assert world.counts() == {"unsubscribed": 1}


def test_whoever_unsubscribed_can_come_back(
    client: Client, publication: Publication, lists: dict[str, List], reader: Subscriber
) -> None:
    unsubscribe(reader.pk, publication.pk, "one-click")
    assert " checked" not in client.get(url(publication, reader)).content.decode()

    client.post(url(publication, reader), {"list": [lists["weekly"].pk]})

    assert status(reader)["weekly"] == "active"
    assert suppressions() == set()


def test_coming_back_does_not_lift_a_bounce_or_another_publications_unsubscribe(
    client: Client, publication: Publication, lists: dict[str, List], reader: Subscriber
) -> None:
    other = factories.make_publication()
    suppress(reader.email, "hard_bounce")
    suppress(reader.email, "unsubscribed", publication_id=other.pk)
    unsubscribe(reader.pk, publication.pk, "one-click")

    client.post(url(publication, reader), {"list": [lists["weekly"].pk]})

    assert suppressions() == {(reader.email, "hard_bounce", None), (reader.email, "unsubscribed", other.pk)}


def test_whoever_has_not_confirmed_is_not_confirmed_by_saving(
    client: Client, publication: Publication, lists: dict[str, List], reader: Subscriber
) -> None:
    Subscription.objects.filter(list=lists["weekly"]).update(status="pending")

    assert "waiting for your confirmation" in client.get(url(publication, reader)).content.decode()
    client.post(url(publication, reader), {"list": [lists["weekly"].pk]})

    assert status(reader)["weekly"] == "pending"


def test_a_wrong_token_is_not_found(client: Client, publication: Publication) -> None:
    assert [client.get("/p/x").status_code, client.post("/p/x").status_code] == [404, 404]


def test_a_test_mails_link_shows_an_empty_page(client: Client, publication: Publication) -> None:
    nobody = Subscriber(pk=0)

    assert client.get(url(publication, nobody)).status_code == 200
    assert client.post(url(publication, nobody), {"list": ["1"]}).status_code == 200
