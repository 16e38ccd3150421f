"""Cancelled here, "already received" there (issue 13, point 9)."""

from uuid import uuid4

import pytest
from django.db.models import Q
from django.test import Client
from django.urls import reverse

from subscribers.models import List, Subscriber, Subscription
from tasks.models import Alarm, Batch, Delivery, Exclusion, Send
from tasks.preparation import preparing
from tasks.sends import control, left_out, undo
from tasks.sends.resend_to_missed import send_to_left_out
from tasks.sends.scheduling import SchedulingError
from tasks.submission import recovery
from tests.factories import make_list, make_prepared_send, make_send, make_subscriber

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
