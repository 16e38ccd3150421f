"""What was sent to two records of one person: nothing is mailed to the person twice, and no count of a send changes."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from newsdesk.core.errors import RefusedError
from subscribers.models import MergedReader, Subscriber
from tasks.audience.freezing import sort_candidates
from tasks.models import Batch, Delivery, Event, Exclusion, Send
from tasks.privacy.merging import merge
from tests import factories
from tests.reports import deliver, make_world
from tests.tasks.lock_waits import waiting_for_locks
from tests.tasks.privacy.people import merged_world
from tests.waiting import LONG, eventually

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def test_who_was_left_out_changes_places_with_who_got_it() -> None:
    """Else the next send to those who were missed would reach the person again."""
    world, keep, other = merged_world()
    Exclusion.objects.create(send_id=world.send.pk, subscriber_id=keep.pk, kind="excluded", reason="unsubscribed")

    assert merge(keep, other, who="a test").deliveries.moved == 1

    assert Delivery.objects.get().subscriber_id == keep.pk
    assert Exclusion.objects.get().subscriber_id == other.pk


@pytest.mark.parametrize(
    ("got", "moves"), [("submitted", False), ("unknown", False), ("failed", True), ("cancelled", True)]
)
def test_an_edition_that_the_kept_record_has_is_not_sent_to_it_again(got: str, moves: bool) -> None:
    world = make_world(1)
    (keep,) = world.readers
    other = factories.make_subscriber(world.send.lists.get(), email="ada@old.example")
    Batch.objects.filter(pk=world.batch.pk).update(status=got)
    rest = factories.make_send(
        approval=world.send.approval, lists=list(world.send.lists.all()), status=Send.Status.SENDING
    )
    factories.make_delivery(factories.make_batch(rest, status="pending"), other)

    merge(keep, other, who="a test")

    assert Delivery.objects.get(send_id=rest.pk).subscriber_id == (keep.pk if moves else other.pk)


@pytest.mark.parametrize("same_send", [True, False])
@pytest.mark.parametrize(
    ("got", "reported", "waits_on"),
    [("submitted", "delivered", False), ("unknown", "", False), ("submitted", "bounce", True), ("failed", "", True)],
)
def test_an_edition_that_the_other_record_has_is_not_sent_to_the_kept_one(
    got: str, reported: str, waits_on: bool, same_send: bool
) -> None:
    """A send to many lists, or one after the other: the two stood in different batches, and one is out."""
    world = make_world(1)
    (other,) = world.readers
    keep = factories.make_subscriber(world.send.lists.get(), email="ada@example.com")
    if reported:
        deliver(world.report(0, reported, type="bounce"))
    Batch.objects.filter(pk=world.batch.pk).update(status=got)
    rest = world.send if same_send else factories.make_send(approval=world.send.approval, status=Send.Status.SENDING)
    waiting = factories.make_batch(rest, status="pending")
    factories.make_delivery(waiting, keep)

    merge(keep, other, who="a test")

    assert Delivery.objects.filter(batch_id=waiting.pk, subscriber_id=keep.pk).exists() is waits_on
    assert Delivery.objects.filter(batch_id=waiting.pk).count() == 1, "no count of a send changes"
    assert Delivery.objects.filter(batch_id=world.batch.pk).count() == 1
    if not waits_on:
        assert Delivery.objects.get(batch_id=world.batch.pk).subscriber_id == keep.pk
        deliver(world.report(0, "open"))
        assert set(Event.objects.values_list("subscriber_id", flat=True)) == {keep.pk}
        assert world.counts()["opened"] == 1


@pytest.mark.parametrize("lost", ["cancelled", "failed", "excluded"])
@pytest.mark.parametrize(("got", "missed"), [("submitted", 0), ("unknown", 0), ("cancelled", 1)])
def test_a_send_that_the_kept_record_lost_and_the_other_one_has_is_not_made_up_for(
    lost: str, got: str, missed: int
) -> None:
    """Who was cancelled, failed or refused in a send whose other batches are out."""
    world = make_world(1)
    (other,) = world.readers
    keep = factories.make_subscriber(world.send.lists.get(), email="ada@example.com")
    batch = factories.make_batch(world.send, status="submitted" if lost == "excluded" else lost)
    factories.make_delivery(batch, keep)
    if lost == "excluded":
        Exclusion.objects.create(send_id=world.send.pk, subscriber_id=keep.pk, kind="failed", reason="550", attempt=1)
    Batch.objects.filter(pk=world.batch.pk).update(status=got)
    rest = factories.make_send(approval=world.send.approval, lists=list(world.send.lists.all()))

    merge(keep, other, who="a test")

    assert not Subscriber.objects.filter(pk=other.pk).exists()
    with transaction.atomic(), connection.cursor() as cursor:
        wanted, _ = sort_candidates(cursor, rest)
    assert wanted == missed
    assert Delivery.objects.filter(batch_id=batch.pk).count() == 1, "no count of a send changes"
    assert Delivery.objects.filter(batch_id=world.batch.pk).count() == 1


@pytest.mark.parametrize("now", ["building", "submitting"])
@pytest.mark.parametrize("which", [0, 1])
def test_it_waits_for_a_request_that_is_being_posted(now: str, which: int) -> None:
    world = make_world(1)
    (posted,) = world.readers
    another = factories.make_subscriber(email="ada@old.example")
    keep, other = (posted, another) if which == 0 else (another, posted)
    Batch.objects.filter(pk=world.batch.pk).update(status=now)

    with pytest.raises(RefusedError, match="Run merge-readers again"):
        merge(keep, other, who="a test", patience=0)
    assert Subscriber.objects.count() == 2
    assert not MergedReader.objects.exists()

    def settle(_seconds: float) -> None:
        Batch.objects.filter(pk=world.batch.pk).update(status="submitted")

    merge(keep, other, who="a test", wait=settle)
    assert Subscriber.objects.get() == keep


@pytest.mark.django_db(transaction=True)
def test_a_claim_that_is_not_committed_yet_comes_first() -> None:
    world = make_world(1)
    (other,) = world.readers
    keep = factories.make_subscriber(email="ada@example.com")
    Batch.objects.filter(pk=world.batch.pk).update(status="pending")

    def merging() -> None:
        try:
            merge(keep, other, who="a test", patience=0)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Batch.objects.filter(pk=world.batch.pk).update(status="building")
            done = pool.submit(merging)
            assert eventually(lambda: waiting_for_locks("tasks_batch") == 1 or done.done())
        with pytest.raises(RefusedError, match="being posted"):
            done.result(LONG)
    assert Delivery.objects.get().subscriber_id == other.pk
