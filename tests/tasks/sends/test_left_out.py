"""Cancelled here, "already received" there (issue 13, point 9)."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models import Q
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from subscribers.models import List, Subscriber, Subscription
from tasks.models import Alarm, Batch, Delivery, Exclusion, Send
from tasks.preparation import preparing
from tasks.reconciliation import decisions
from tasks.sends import control, left_out, undo
from tasks.sends.resend_to_missed import resend_to_missed, send_to_left_out
from tasks.sends.scheduling import SchedulingError
from tasks.submission import recovery
from tests.factories import make_attempt, make_list, make_prepared_send, make_send, make_subscriber

pytestmark = pytest.mark.django_db


@pytest.fixture
def both() -> tuple[Send, Send]:
    """A send that has five readers, and another of the edition that left three of them out because of it, and has one of its own."""
    first = make_prepared_send(5)
    shared = make_list(first.edition.publication, "shared")
    for reader in Subscriber.objects.order_by("pk")[:3]:
        Subscription.objects.create(list=shared, subscriber=reader, status="active")
    make_subscriber(shared)
    second = make_send(approval=first.approval, lists=[shared])
    assert preparing.prepare(second.pk) is not None
    return first, second


def readers_of(send: Send) -> set[int]:
    return set(Delivery.objects.filter(send_id=send.pk).values_list("subscriber_id", flat=True))


def test_the_exclusion_names_the_other_send(both: tuple[Send, Send]) -> None:
    first, second = both

    named = Exclusion.objects.filter(send_id=second.pk).values_list("reason", "other_send_id")

    assert list(named) == [("already_received", first.pk)] * 3
    assert not Exclusion.objects.filter(Q(other_send_id__isnull=False), ~Q(reason="already_received")).exists()


def test_at_the_others_cancel_they_are_counted_and_get_it_from_a_send_of_their_own(both: tuple[Send, Send]) -> None:
    first, second = both
    left = set(Exclusion.objects.filter(send_id=second.pk).values_list("subscriber_id", flat=True))

    assert control.cancel(first.pk)

    alarm = Alarm.objects.get(code="left_out")
    assert alarm.send == first
    assert alarm.message.startswith(f"3 readers get “{first.edition}” from no send: send {second.pk} left them out")
    made = send_to_left_out(first.pk, who="ada")
    assert made.readers == 3
    # Somebody who joins the list meanwhile is none of them, nor is who was on the cancelled send alone.
    make_subscriber(List.objects.get(slug="shared"))
    assert preparing.prepare(made.send.pk) is not None
    assert readers_of(made.send) == left
    assert not Alarm.objects.filter(code="left_out", cleared_at=None).exists()
    left_out.look()
    assert Alarm.objects.filter(code="left_out").count() == 1
    with pytest.raises(SchedulingError, match="nobody lacks the edition"):
        send_to_left_out(first.pk)


def test_pressed_twice_before_it_is_prepared_it_is_sent_once(both: tuple[Send, Send]) -> None:
    first, _ = both
    control.cancel(first.pk)
    send_to_left_out(first.pk)

    with pytest.raises(SchedulingError, match="another send goes to those"):
        send_to_left_out(first.pk)


def test_undo_does_the_same(both: tuple[Send, Send]) -> None:
    first, _ = both
    Send.objects.filter(pk=first.pk).update(undo_until="2999-01-01T00:00:00Z")

    undo.undo(first.pk)

    assert Alarm.objects.get().code == "left_out"


def test_what_was_in_flight_at_the_cancel_is_counted_when_it_comes_back(both: tuple[Send, Send]) -> None:
    first, _ = both
    Batch.objects.filter(send=first).update(status="submitting", attempt=uuid4())
    control.cancel(first.pk)
    assert not Alarm.objects.exists(), "they may have it"
    Batch.objects.filter(send=first).update(status="cancelled")

    left_out.look()

    assert Alarm.objects.get().message.startswith("3 readers get")


def test_nobody_is_told_of_who_left_or_has_it_or_was_left_out_by_a_cancelled_send(both: tuple[Send, Send]) -> None:
    first, second = both
    gone, has_it, _ = Exclusion.objects.filter(send_id=second.pk).order_by("subscriber_id")
    Exclusion.objects.create(
        send_id=first.pk, subscriber_id=gone.subscriber_id, kind="excluded", reason="unsubscribed", attempt=1
    )
    third = make_send(approval=first.approval, lists=[make_list(first.edition.publication, "third")])
    batch = Batch.objects.create(send=third, variant=first.approval.variants.get(), size=1, status="submitted")
    Delivery.objects.create(send_id=third.pk, subscriber_id=has_it.subscriber_id, batch_id=batch.pk)

    control.cancel(first.pk)
    assert Alarm.objects.get(cleared_at=None).message.startswith("1 reader gets")

    control.cancel(second.pk)
    left_out.tell(first.pk)
    assert not Alarm.objects.filter(cleared_at=None).exists()


def test_a_send_that_is_not_cancelled_is_refused(both: tuple[Send, Send]) -> None:
    with pytest.raises(SchedulingError, match="is sending: its readers may still get it"):
        send_to_left_out(both[0].pk)


def test_at_the_desk_it_takes_two_clicks(admin_client: Client, both: tuple[Send, Send]) -> None:
    first, _ = both
    control.cancel(first.pk)
    place = reverse("wagtailsnippets_composer_edition:send_action", args=[first.edition_id, first.pk, "left-out"])
    home = admin_client.get(reverse("wagtailadmin_home")).content.decode()
    assert place in home
    assert "Readers get an edition from no send" in home
    assert "newsdesk send-rest" not in home

    asked = admin_client.get(place).content.decode()
    assert f"3 readers whom other sends left out because of this one get “{first.edition}” now." in asked
    assert Send.objects.count() == 2

    admin_client.post(place)
    assert Send.objects.get(in_place_of=first).status == "scheduled"


@pytest.mark.usefixtures("transport")
def test_recovery_looks(both: tuple[Send, Send]) -> None:
    first, _ = both
    Batch.objects.filter(send=first).update(status="cancelled")
    Send.objects.filter(pk=first.pk).update(status="cancelled", finished_at="2999-01-01T00:00:00Z")

    recovery.recover()

    assert Alarm.objects.filter(code="left_out").exists()


def in_doubt_at_the_cancel(first: Send) -> Batch:
    """Its only batch was unknown when it was cancelled, and that was a day ago."""
    batch = Batch.objects.get(send=first)
    attempt = make_attempt(batch, outcome="unknown")
    Batch.objects.filter(pk=batch.pk).update(status="unknown", attempt=attempt.pk, attempts=1)
    control.cancel(first.pk)
    left_out.look()
    assert not Alarm.objects.filter(code="left_out").exists(), "they may have it"
    Send.objects.filter(pk=first.pk).update(finished_at=timezone.now() - timedelta(days=1))
    return batch


def test_what_proves_a_day_later_not_to_have_gone_out_is_told(both: tuple[Send, Send]) -> None:
    """Silence is believed after a day, and a person may take longer."""
    first, _ = both

    assert decisions.resend(in_doubt_at_the_cancel(first).pk, who="ada")

    assert Alarm.objects.get(code="left_out").message.startswith("3 readers get")


def test_so_is_a_claim_that_is_let_go_after_everything_stood_still(both: tuple[Send, Send]) -> None:
    first, _ = both
    ages_ago = timezone.now() - timedelta(hours=3)
    Batch.objects.filter(send=first).update(status="building", attempt=uuid4(), attempts=1, claimed_at=ages_ago)
    control.cancel(first.pk)
    Send.objects.filter(pk=first.pk).update(finished_at=ages_ago)

    recovery.release_abandoned()

    assert Batch.objects.get(send=first).status == "cancelled"
    assert Alarm.objects.get(code="left_out").message.startswith("3 readers get")


def test_others_who_are_told_of_later_get_it_too(both: tuple[Send, Send]) -> None:
    """A part was cancelled at once and sent to in its place; what was in doubt comes back after that."""
    first, _ = both
    doubtful = in_doubt_at_the_cancel(first)
    at_once = Batch.objects.create(send=first, variant=doubtful.variant, size=1, status="cancelled")
    Batch.objects.filter(pk=doubtful.pk).update(size=4)
    reader = Delivery.objects.filter(send_id=first.pk).order_by("subscriber_id")[0].subscriber_id
    Delivery.objects.filter(send_id=first.pk, subscriber_id=reader).update(batch_id=at_once.pk)
    left_out.tell(first.pk)
    made = send_to_left_out(first.pk).send
    assert preparing.prepare(made.pk) is not None
    Batch.objects.filter(send=made).update(status="submitted")
    Send.objects.filter(pk=made.pk).update(status="sent")

    assert decisions.resend(doubtful.pk, who="ada")

    assert Alarm.objects.get(cleared_at=None).message.startswith("2 readers get")
    later = send_to_left_out(first.pk)
    assert preparing.prepare(later.send.pk) is not None
    assert later.readers == 2
    assert reader not in readers_of(later.send)


def test_whom_such_a_send_missed_are_still_only_those(both: tuple[Send, Send]) -> None:
    """Its lists have many more, who were never to get it: the send that left them out had a segment."""
    first, second = both
    left = set(Exclusion.objects.filter(send_id=second.pk).values_list("subscriber_id", flat=True))
    control.cancel(first.pk)
    made = send_to_left_out(first.pk).send
    assert preparing.prepare(made.pk) is not None
    Batch.objects.filter(send=made).update(status="failed")
    Send.objects.filter(pk=made.pk).update(status="sent")
    make_subscriber(List.objects.get(slug="shared"))

    again = resend_to_missed(made.pk)

    assert again.readers == 3
    assert preparing.prepare(again.send.pk) is not None
    assert readers_of(again.send) == left
