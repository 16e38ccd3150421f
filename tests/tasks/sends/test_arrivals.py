"""What the provider takes and does not deliver: "sent" alone would say that all is well."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tasks.attempts import moving
from tasks.models import Alarm, Attempt, Batch, Send
from tasks.sends import arrivals, finishing, stopping
from tests.factories import make_batch, make_delivery, make_prepared_send, make_subscriber
from tests.reports import World, deliver, make_world
from tests.tasks.submission.batches import submit

pytestmark = pytest.mark.django_db

QUOTA = "Recipient List over Package Quota"


def over(world: World, *, ago: timedelta = timedelta(hours=2)) -> Send:
    assert finishing.finish_if_done(world.send.pk)
    Send.objects.filter(pk=world.send.pk).update(finished_at=timezone.now() - ago)
    return world.send


def codes() -> list[str]:
    return list(Alarm.objects.order_by("pk").values_list("code", flat=True))


def dropped(world: World, number: int) -> None:
    deliver(*[world.report(reader, "dropped", reason=QUOTA) for reader in range(number)])


@pytest.mark.parametrize(("number", "pauses"), [(20, False), (21, True)])
def test_a_provider_that_takes_everything_and_drops_it_stops_the_send(number: int, pauses: bool) -> None:
    world = make_world(200)
    make_batch(world.send)

    dropped(world, number)
    dropped(world, number)

    assert Batch.objects.get(pk=world.batch.pk).dropped == number
    assert stopping.pause_if_too_many(world.send.pk) is pauses
    if pauses:
        assert codes() == ["send_paused", "many_dropped"]
        assert "21 of 200 readers were accepted by the provider and then dropped" in Alarm.objects.latest("pk").message


def test_what_was_counted_moves_with_its_reader() -> None:
    """As when a mail server's report takes one reader out of a batch."""
    world = make_world(3)
    dropped(world, 1)

    there = moving.move_to_new_batch(world.batch.pk, world.send.pk, [world.readers[0].pk], status=Batch.Status.PENDING)

    assert list(Batch.objects.order_by("pk").values_list("pk", "dropped")) == [(world.batch.pk, 0), (there, 1)]


@pytest.mark.parametrize(("arrived", "is_told"), [(2, False), (1, True), (0, True)])
def test_fewer_than_half_an_hour_after_the_end(arrived: int, is_told: bool) -> None:
    world = make_world(4)
    deliver(*[world.report(reader, "delivered") for reader in range(arrived)])
    send = over(world)

    arrivals.look()
    Alarm.objects.update(cleared_at=timezone.now())
    arrivals.look()

    assert codes() == ["few_delivered"] * is_told
    if is_told:
        message = Alarm.objects.get(send=send).message
        assert f"of 4 readers whose mails were accepted {arrived} are reported to have got it" in message
        assert f"of {4 - arrived} nothing is known yet" in message


@pytest.mark.parametrize(
    ("rest", "minutes", "told"), [("unknown", 61, True), ("unknown", 59, False), ("pending", 61, False)]
)
def test_a_send_with_a_part_in_doubt_is_asked_too(rest: str, minutes: int, told: bool) -> None:
    """It does not end before a person has decided."""
    world = make_world(4)
    Attempt.objects.update(fenced_at=timezone.now() - timedelta(minutes=minutes))
    make_batch(world.send, status=rest)
    assert not finishing.finish_if_done(world.send.pk)

    arrivals.look()
    Alarm.objects.update(cleared_at=timezone.now())
    arrivals.look()

    assert codes() == ["few_delivered"] * told
    if told:
        assert Alarm.objects.get().message.startswith(
            f"Nothing more of send {world.send.pk} was posted for an hour, and of 4"
        )


@pytest.mark.parametrize("ago", [timedelta(minutes=50), timedelta(days=4)])
def test_neither_at_once_nor_for_ever(ago: timedelta) -> None:
    over(make_world(4), ago=ago)

    arrivals.look()

    assert codes() == []


@pytest.mark.parametrize("transport", ["smtp:0123", "file:0123"])
def test_who_never_tells_is_not_waited_for(transport: str) -> None:
    world = make_world(4)
    Attempt.objects.update(transport=transport)
    over(world)

    arrivals.look()

    assert codes() == []


def test_who_was_left_out_meanwhile_is_not_waited_for() -> None:
    world = make_world(2)
    deliver(world.report(0, "delivered"))
    make_delivery(world.batch, make_subscriber())
    Batch.objects.filter(pk=world.batch.pk).update(size=3, excluded=1)
    over(world)

    arrivals.look()

    assert codes() == []


def test_an_account_that_answers_202_and_mails_nobody(transport: Any) -> None:
    """Nothing is reported: the sandbox keeps its reports to itself."""
    send = make_prepared_send(5)
    assert submit(send, transport).status == "submitted"
    assert Send.objects.get(pk=send.pk).status == "sent"
    Send.objects.filter(pk=send.pk).update(finished_at=timezone.now() - timedelta(hours=2))

    arrivals.look()

    assert codes() == ["few_delivered"]
