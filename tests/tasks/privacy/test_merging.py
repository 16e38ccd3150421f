"""Two records of one person become one reader: nobody is mailed against their will, twice, or not at all."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from newsdesk.core.errors import InputError, RefusedError
from subscribers import consent_ledger, reader_links, suppression, tracking
from subscribers import merging as profiles
from subscribers.models import Consent, List, MergedReader, Subscriber, Subscription, Suppression, TrackingAnswer
from subscribers.tokens import LinkKind
from tasks.database import high_water
from tasks.models import Delivery, Event, Exclusion
from tasks.privacy.merging import merge
from tests import factories
from tests.reports import deliver, make_world
from tests.subscribers.commands import refusal, run, run_json
from tests.tasks.lock_waits import waiting_for_locks
from tests.tasks.privacy.people import merged_world
from tests.waiting import LONG, eventually

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture
def readers() -> List:
    return factories.make_list(factories.make_publication())


def two(on: List | None = None, **fields: Any) -> tuple[Subscriber, Subscriber]:
    keep = factories.make_subscriber(on, email="ada@example.com", **fields)
    return keep, factories.make_subscriber(on, email="ada@old.example")


def status(reader: Subscriber, on: List) -> str:
    return Subscription.objects.get(subscriber=reader, list=on).status


def test_what_the_kept_record_has_wins_and_what_it_lacks_is_taken(readers: List) -> None:
    keep, other = two(name="Ada", tags=["vip"], attributes={"city": "Oslo"})
    Subscriber.objects.filter(pk=other.pk).update(
        name="A.", language="nb", tags=["old", "vip"], attributes={"city": "Rome", "age": 36}
    )

    done = merge(keep, other, who="a test")

    now = Subscriber.objects.get()
    assert (now.pk, now.email, now.name, now.language) == (keep.pk, "ada@example.com", "Ada", "nb")
    assert (now.tags, now.attributes) == (["vip", "old"], {"city": "Oslo", "age": 36})
    assert (done.profile.facts, done.profile.tags, done.profile.attributes) == (["language"], ["old"], ["age"])


@pytest.mark.parametrize(
    ("mine", "theirs", "worse"),
    [
        ("active", "active", "active"),
        ("active", "pending", "pending"),
        ("active", "unsubscribed", "unsubscribed"),
        ("pending", "unsubscribed", "unsubscribed"),
        ("unsubscribed", "active", "unsubscribed"),
        ("", "active", "active"),
        ("", "pending", "pending"),
        ("active", "", "active"),
    ],
)
def test_the_worse_state_on_a_list_wins(readers: List, mine: str, theirs: str, worse: str) -> None:
    keep, other = two()
    for reader, state in ((keep, mine), (other, theirs)):
        if state:
            Subscription.objects.create(subscriber=reader, list=readers, status=state)

    done = merge(keep, other, who="a test")

    assert status(keep, readers) == worse
    assert Subscription.objects.count() == 1
    assert [(row.status, row.was) for row in done.profile.subscriptions] == ([(worse, mine)] if mine != worse else [])
    withdrawn = Consent.objects.filter(subscriber=keep, kind="withdrawn", source="merge-readers: a test")
    assert withdrawn.count() == (worse == "unsubscribed" and mine != worse)


@pytest.mark.parametrize("reason", ["unsubscribed", "complaint", "manual"])
def test_who_had_left_with_the_other_address_is_on_none_of_its_lists(readers: List, reason: str) -> None:
    """The suppression alone kept mail from the address: the kept one has none."""
    elsewhere = factories.make_list(factories.make_publication(slug="elsewhere"))
    keep, other = two(readers)
    only = factories.make_list(readers.publication, "only")
    for one in (only, elsewhere):
        Subscription.objects.create(subscriber=other, list=one, status="active")
    of = readers.publication_id if reason == "unsubscribed" else None
    suppression.suppress(other.email, reason, publication_id=of)

    done = merge(keep, other, who="a test")

    assert status(keep, readers) == status(keep, only) == "unsubscribed"
    assert status(keep, elsewhere) == ("active" if reason == "unsubscribed" else "unsubscribed")
    assert Consent.objects.filter(subscriber=keep, list=only, kind="withdrawn").exists()
    assert done.suppressions == [reason]
    assert list(Suppression.objects.values_list("address", flat=True)) == ["ada@old.example"]


def test_a_bounce_of_the_other_address_or_a_shut_out_domain_takes_no_list_away(readers: List) -> None:
    keep, other = two(readers)
    suppression.suppress(other.email, "hard_bounce")
    suppression.suppress("@old.example", "manual")

    assert merge(keep, other, who="a test").suppressions == ["hard_bounce"]

    assert status(keep, readers) == "active"
    assert not Suppression.objects.filter(address="ada@example.com").exists()


def test_consents_and_answers_go_along_and_the_ledger_is_intact(readers: List) -> None:
    keep, other = two(readers)
    Consent.objects.create(subscriber=other, list=readers, kind="given", source="form")
    tracking.answer(keep.pk, tracking.Tracking.GRANTED, source="page")
    tracking.answer(other.pk, tracking.Tracking.DENIED, source="page")
    keep.refresh_from_db()

    done = merge(keep, other, who="a test")

    assert (done.profile.consents, done.profile.tracking_answers, done.profile.tracking) == (1, 1, "denied")
    assert Consent.objects.get().subscriber_id == keep.pk
    assert set(TrackingAnswer.objects.values_list("subscriber_id", flat=True)) == {keep.pk}
    assert Subscriber.objects.get().tracking == "denied"
    assert consent_ledger.verify().problems == []


def test_what_was_sent_goes_along_with_its_events() -> None:
    world, keep, other = merged_world()
    Exclusion.objects.create(
        send_id=(left_out := factories.make_send()).pk, subscriber_id=other.pk, kind="excluded", reason="manual"
    )

    done = merge(keep, other, who="a test")

    assert (done.deliveries.moved, done.deliveries.left, done.deliveries.events) == (2, 0, 1)
    assert Delivery.objects.get(send_id=world.send.pk).subscriber_id == keep.pk
    assert Exclusion.objects.get(send_id=left_out.pk).subscriber_id == keep.pk
    assert Event.objects.get().subscriber_id == keep.pk


def test_later_reports_reach_the_kept_record_and_a_bounce_only_the_old_address() -> None:
    world, keep, other = merged_world()
    merge(keep, other, who="a test")

    deliver(world.report(0, "open"), world.report(0, "bounce", type="bounce", status="5.1.1"))

    assert set(Event.objects.values_list("subscriber_id", flat=True)) == {keep.pk}
    assert (world.counts()["delivered"], world.counts()["bounced"]) == (1, 1)
    assert list(Suppression.objects.values_list("address", "reason")) == [(other.email, "hard_bounce")]


@pytest.mark.parametrize("way", ["link", "report"])
def test_who_leaves_through_a_mail_to_the_old_address_has_left(client: Any, way: str) -> None:
    world, keep, other = merged_world()
    merge(keep, other, who="a test")
    publication = world.send.edition.publication

    if way == "link":
        token = reader_links.signer(high_water.installation()).sign(
            LinkKind.UNSUBSCRIBE, publication.pk, world.send.pk, other.pk
        )
        assert client.post(f"/u/{token}", {"List-Unsubscribe": "One-Click"}).status_code == 200
    else:
        deliver(world.report(0, "unsubscribe"))

    assert status(keep, world.send.lists.get()) == "unsubscribed"
    assert Suppression.objects.get().address == "ada@example.com"
    assert world.counts()["unsubscribed"] == 1


@pytest.mark.parametrize("both_have_it", [False, True])
def test_who_complains_of_a_mail_to_the_old_address_is_mailed_at_neither(both_have_it: bool) -> None:
    world, keep, other = merged_world()
    if both_have_it:
        factories.make_delivery(world.batch, keep)
    merge(keep, other, who="a test")

    deliver(world.report(0, "spamreport"))

    complained = Suppression.objects.filter(reason="complaint").order_by("address")
    assert [row.address for row in complained] == [keep.email, other.email]


def test_a_send_that_both_have_stays_as_it_is() -> None:
    world = make_world(2)
    keep, other = world.readers

    done = merge(keep, other, who="a test")

    assert (done.deliveries.moved, done.deliveries.left) == (0, 1)
    assert set(Delivery.objects.values_list("subscriber_id", flat=True)) == {keep.pk, other.pk}
    deliver(world.report(1, "delivered"), world.report(1, "unsubscribe"))
    assert world.counts() == {"delivered": 1, "unsubscribed": 1}
    assert Event.objects.filter(subscriber_id=other.pk).count() == 2
    assert status(keep, world.send.lists.get()) == "unsubscribed"


@pytest.mark.django_db(transaction=True)
def test_who_leaves_while_a_merge_commits_has_left() -> None:
    readers = factories.make_list(factories.make_publication())
    keep, other = two(readers)
    was = other.pk

    def leaving() -> bool:
        try:
            return suppression.unsubscribe(was, readers.publication_id, "one-click")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            merge(keep, other, who="a test")
            done = pool.submit(leaving)
            assert eventually(lambda: waiting_for_locks("subscribers_subscription") == 1 or done.done())
            assert not done.done()
        assert done.result(LONG) is True
    assert status(keep, readers) == "unsubscribed"


def test_a_record_that_is_to_be_erased_is_not_merged(readers: List) -> None:
    keep, other = two(readers)
    suppression.suppress(other.email, "erased")

    with pytest.raises(RefusedError, match="erase-reader"):
        merge(keep, other, who="a test")
    assert Subscriber.objects.count() == 2


def test_one_after_the_other_leads_to_the_last(readers: List) -> None:
    keep, other = two(readers)
    last = factories.make_subscriber(readers)

    merge(keep, other, who="a test")
    merge(last, keep, who="a test")

    assert profiles.current_ids([keep.pk, other.pk, last.pk]) == {keep.pk: last.pk, other.pk: last.pk}


def test_the_command_says_what_it_did_and_would_do(readers: List) -> None:
    keep, other = two(tags=["vip"])
    Subscription.objects.create(subscriber=other, list=readers, status="active")
    Subscriber.objects.filter(pk=other.pk).update(attributes={"city": "Oslo"})
    suppression.suppress(other.email, "hard_bounce")
    words = ("merge_readers", "ADA@example.com", "ada@OLD.example")

    would = run_json(*words, "--dry-run")

    assert Subscriber.objects.count() == 2
    assert not MergedReader.objects.exists()
    assert "would become ada@example.com; nothing is changed" in run(*words, "--dry-run")
    did = run_json(*words)
    assert did == {**would, "dry_run": False}
    where = {"publication": readers.publication.slug, "list": "readers"}
    assert did["subscriptions"] == [{**where, "status": "active", "was": None}]
    assert did["taken"] == {"fields": [], "tags": [], "attributes": ["city"]}
    assert did["suppressions_left"] == ["hard_bounce"]
    assert Subscriber.objects.get() == keep
    assert MergedReader.objects.get().who
    assert "there is no reader ada@OLD.example; it is suppressed: hard bounce" in refusal(*words)


def test_the_command_in_words(readers: List) -> None:
    two(readers)

    assert run("merge_readers", "ada@example.com", "ada@old.example").startswith(
        "ada@old.example is ada@example.com now"
    )
    with pytest.raises(InputError, match="same reader"):
        run("merge_readers", "ada@example.com", "Ada@example.com")
