import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from composer.models import Publication
from subscribers.models import Consent, Subscription, Suppression
from subscribers.suppression import (
    SuppressionRequest,
    erased_address,
    suppress,
    suppress_many,
    unsubscribe,
    unsubscribe_many,
)
from tests.waiting import LONG

pytestmark = pytest.mark.django_db


def test_suppressing_twice_is_suppressing_once() -> None:
    assert suppress(" Ada@Example.com", "hard_bounce", detail="550 no such user")
    assert not suppress("ada@example.com", "hard_bounce", detail="again")

    assert Suppression.objects.values_list("address", "reason", "detail").get() == (
        "ada@example.com",
        "hard_bounce",
        "550 no such user",
    )


def test_bounces_hold_everywhere_unsubscribes_for_one_publication(publication: Publication) -> None:
    suppress("ada@example.com", "complaint", publication_id=publication.pk)
    suppress("ada@example.com", "unsubscribed", publication_id=publication.pk)

    assert dict(Suppression.objects.values_list("reason", "publication_id")) == {
        "complaint": None,
        "unsubscribed": publication.pk,
    }


def test_an_erased_address_is_kept_as_its_hash_only() -> None:
    suppress("Ada@example.com", "erased")
    suppress(erased_address("ada@EXAMPLE.com"), "erased")

    assert Suppression.objects.get().address == erased_address("ada@example.com")
    assert "ada" not in Suppression.objects.get().address


def test_many_at_once_count_the_new_ones_only(publication: Publication) -> None:
    suppress("ada@example.com", "invalid")
    requests = [
        SuppressionRequest(address="ADA@example.com", reason="invalid"),
        SuppressionRequest(address="bob@example.com", reason="invalid", detail="x" * 600),
        SuppressionRequest(address="Bob@example.com", reason="invalid"),
        SuppressionRequest(address="bob@example.com", reason="manual", publication_id=publication.pk),
        SuppressionRequest(address=" ", reason="invalid"),
        SuppressionRequest(address="a\x00b@example.com", reason="invalid"),
        SuppressionRequest(address="x" * 321, reason="invalid"),
    ]

    assert suppress_many(requests) == 2
    assert suppress_many([]) == 0
    assert suppress_many(requests) == 0


@pytest.mark.parametrize("reason", ["unsubscribed", "sneezed"])
def test_what_makes_no_sense_is_refused(reason: str) -> None:
    with pytest.raises(ValueError):
        suppress("ada@example.com", reason)


def test_an_unsubscribe_closes_every_list_of_the_publication_and_keeps_proof(
    publication: Publication, other_publication: Publication, make_list: Any, make_subscriber: Any
) -> None:
    one, two = make_list("one"), make_list("two")
    other = make_list("other", publication=other_publication)
    ada = make_subscriber("Ada@example.com", lists={one: "active", two: "pending", other: "active"})
    make_subscriber("bob@example.com", lists={one: "active"})

    assert unsubscribe(ada.pk, publication.pk, "one-click")
    assert not unsubscribe(ada.pk, publication.pk, "webhook")

    assert dict(Subscription.objects.filter(subscriber=ada).values_list("list__slug", "status")) == {
        "one": "unsubscribed",
        "two": "unsubscribed",
        "other": "active",
    }
    assert sorted(Consent.objects.values_list("subscriber", "list__slug", "kind", "source")) == [
        (ada.pk, "one", "withdrawn", "one-click"),
        (ada.pk, "two", "withdrawn", "one-click"),
    ]
    kept = Suppression.objects.get()
    assert (kept.address, kept.publication, kept.reason) == ("ada@example.com", publication, "unsubscribed")
    assert Subscription.objects.get(subscriber__email="bob@example.com").status == "active"


def test_an_unsubscribe_holds_without_any_subscription(publication: Publication, make_subscriber: Any) -> None:
    ada = make_subscriber()

    assert unsubscribe_many([(ada.pk, publication.pk), (ada.pk, publication.pk), (0, publication.pk)], "webhook") == 1
    assert unsubscribe_many([], "webhook") == 0
    assert Suppression.objects.get().address == "ada@example.com"


@pytest.mark.django_db(transaction=True)
def test_two_at_once_over_the_same_readers_wait_for_each_other(
    publication: Publication, make_list: Any, make_subscriber: Any
) -> None:
    readers = make_list()
    people = [make_subscriber(f"r{number}@example.com", lists={readers: "active"}) for number in range(200)]
    pairs = [(reader.pk, publication.pk) for reader in people]
    requests = [SuppressionRequest(address=reader.email, reason="hard_bounce") for reader in people]
    changed: list[int] = []

    def work(order: int) -> None:
        with transaction.atomic():
            changed.append(unsubscribe_many(pairs[::order], "webhook"))
            changed.append(suppress_many(requests[::order]))

    run_together(lambda: work(1), lambda: work(-1))

    assert sorted(changed) == [0, 0, 200, 200]
    assert Consent.objects.count() == 200


def run_together(*jobs: Callable[[], None]) -> None:
    errors: list[BaseException] = []

    def run(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert errors == []
