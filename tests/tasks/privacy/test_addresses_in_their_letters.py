"""A domain in its own letters is the one that readers are stored with: who types it so is not mailed, found and erased all the same."""

import pytest

from subscribers import addresses, profile, suppression
from subscribers.lifting import lift
from subscribers.models import List, Subscriber, Suppression
from tests.factories import make_list, make_publication, make_subscriber
from tests.reports import deliver, make_world
from tests.subscribers.commands import run, run_json
from tests.subscribers.importing import loader, mailed

pytestmark = pytest.mark.django_db

STORED = "Ada@xn--bcher-kva.example"


@pytest.fixture
def ada() -> Subscriber:
    return make_subscriber(make_list(make_publication()), email=STORED)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        (" Ada@Bücher.example\n", "ada@xn--bcher-kva.example"),
        ("@BÜCHER.example", "@xn--bcher-kva.example"),
        ("ada@example.com", "ada@example.com"),
        ("md5:0cc175b9c0f1b6a831c399e269772661", "md5:0cc175b9c0f1b6a831c399e269772661"),
        ("ada@☃-☃.", "ada@☃-☃."),
        ("no address", "no address"),
    ],
)
def test_the_domain_is_in_ascii_where_it_is_one(text: str, stored: str) -> None:
    assert addresses.stored_form(text) == stored


@pytest.mark.parametrize("address", ["ada@bücher.example", "@bücher.example"])
def test_whoever_is_suppressed_so_is_not_mailed(ada: Subscriber, address: str) -> None:
    run("suppress", address, "--reason", "manual")

    assert mailed() == set()
    assert profile.reader_with("ADA@Bücher.example") == ada
    lift(address, why="a slip")
    assert mailed() == {"Ada"}


def test_an_unsubscribe_by_address_finds_the_reader(ada: Subscriber) -> None:
    request = suppression.SuppressionRequest(
        address="ada@bücher.example", reason="unsubscribed", publication_id=List.objects.get().publication_id
    )
    suppression.unsubscribe_addresses([request])

    assert ada.subscriptions.get().status == "unsubscribed"


@pytest.mark.usefixtures("transport")
def test_who_is_erased_so_is_gone_and_does_not_come_back(ada: Subscriber) -> None:
    run_json("erase_reader", "ada@bücher.example", "--yes")

    assert not Subscriber.objects.filter(pk=ada.pk).exists()
    publication = List.objects.get().publication
    assert "asked to be erased" in str(loader(publication)(f"email\n{STORED}\n").rejected)


@pytest.mark.parametrize("with_ids", [True, False])
def test_a_report_that_spells_it_so_is_about_the_reader(with_ids: bool) -> None:
    world = make_world(1)
    Subscriber.objects.update(email=STORED)
    report = world.report if with_ids else world.late

    deliver(report(0, "bounce", type="bounce", email="ada@bücher.example"))

    assert Suppression.objects.get().address == STORED.lower()
    assert world.counts() == {"bounced": 1}
