"""Who was merged is in other people's files by the address that is gone: it is the kept record's, and brings back nobody."""

from pathlib import Path

import pytest

from subscribers import suppression
from subscribers.models import List, Subscriber, Subscription, Suppression
from tasks.models import Send
from tasks.privacy.merging import merge
from tasks.sends.resend_to_missed import resend_to_missed
from tests import factories
from tests.reports import deliver, make_world
from tests.subscribers.commands import imported, run_json
from tests.subscribers.importing import loader, mailed

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture
def readers() -> List:
    return factories.make_list(factories.make_publication())


def two(on: List | None = None) -> tuple[Subscriber, Subscriber]:
    keep = factories.make_subscriber(on, email="ada@example.com")
    return keep, factories.make_subscriber(on, email="ada@old.example")


@pytest.mark.parametrize("mode", ["add", "mirror"])
def test_a_file_that_still_has_the_old_address_means_the_kept_record(readers: List, mode: str, tmp_path: Path) -> None:
    keep, other = two()
    Subscription.objects.create(subscriber=keep, list=readers, status="unsubscribed")
    stays, old = (factories.make_subscriber(readers, email=f"bo@{domain}") for domain in ("example.com", "old.example"))
    merge(keep, other, who="a test")
    merge(stays, old, who="a test")

    file = tmp_path / "people.csv"
    file.write_text("email\nAda@old.example\nbo@old.example\nbo@example.com\n")
    imported(
        *("import_subscribers", str(file), "--publication", readers.publication.slug, "--list", "readers"),
        *("--mode", mode, "--json"),
    )

    assert mailed() == {"bo"}
    assert set(Subscriber.objects.values_list("email", flat=True)) == {"ada@example.com", "bo@example.com"}
    loader(readers.publication)("email,status\nbo@old.example,unsubscribed\n")
    assert mailed() == set()


def test_the_edition_is_not_sent_again_to_the_old_address() -> None:
    world = make_world(1)
    (other,) = world.readers
    keep, address = factories.make_subscriber(email="ada@example.com"), other.email
    merge(keep, other, who="a test")
    loader(world.send.edition.publication)(f"email\n{address}\n")
    Send.objects.filter(pk=world.send.pk).update(status="sent")

    assert resend_to_missed(world.send.pk).readers == 0


@pytest.mark.usefixtures("transport")
def test_who_is_erased_comes_back_under_neither_address(readers: List) -> None:
    merge(*two(readers), who="a test")

    run_json("erase_reader", "ada@example.com", "--yes")

    report = loader(readers.publication)("email\nada@old.example\nada@example.com\n")
    assert len(report.rejected) == 2
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize(("event", "reason"), [("spamreport", "complaint"), ("unsubscribe", "unsubscribed")])
def test_a_report_that_names_the_old_address_alone_is_about_the_kept_record(event: str, reason: str) -> None:
    world = make_world(1)
    keep = factories.make_subscriber(world.send.lists.get(), email="ada@example.com")
    factories.make_subscriber(world.send.lists.get(), email="bo@example.com")
    late = world.late(0, event)
    merge(keep, world.readers[0], who="a test")

    deliver(late)

    assert Suppression.objects.filter(address="ada@example.com", reason=reason).exists()
    assert mailed() == {"bo"}


def test_so_is_a_complaint_that_comes_any_other_way(readers: List) -> None:
    merge(*two(readers), who="a test")

    assert suppression.suppress("ADA@old.example", "complaint")
    assert suppression.suppress("ada@old.example", "hard_bounce")

    suppressed = Suppression.objects.filter(address="ada@example.com").values_list("reason", flat=True)
    assert list(suppressed) == ["complaint"]
