"""Who opened and clicked nothing for long is left out, once a person agreed to their number, and may come back."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from composer.models import Publication
from newsdesk.core.errors import InputError
from subscribers.lifting import lift
from subscribers.models import LiftedSuppression, Subscriber, Suppression
from subscribers.preferences import choose
from tasks.feedback import sunset
from tasks.models import Alarm, Delivery, Event, Send
from tasks.preparation import preparing
from tests.factories import (
    make_approval,
    make_batch,
    make_edition,
    make_list,
    make_publication,
    make_send,
    make_subscriber,
)

pytestmark = pytest.mark.django_db

Seen = Delivery.Seen
TAKEN = Seen.DELIVERED.value
OPENED, CLICKED = TAKEN | Seen.OPENED, TAKEN | Seen.CLICKED


@pytest.fixture
def weekly() -> Publication:
    return make_publication(tracking=True, sunset_editions=3, sunset_weeks=10)


def reader(weekly: Publication, tracking: str = "granted") -> Subscriber:
    return make_subscriber(make_list(weekly), tracking=tracking)


def sent(
    weekly: Publication, seen: Mapping[Subscriber, int], *, weeks_ago: float = 4, tracked: bool = True, opened: int = 1
) -> Send:
    """An edition that came to these readers; `opened`: by how many of all."""
    send = make_send(approval=make_approval(make_edition(weekly)), lists=[make_list(weekly)], status="sent")
    Send.objects.filter(pk=send.pk).update(prepared_at=timezone.now() - timedelta(weeks=weeks_ago))
    batch = make_batch(send, size=len(seen), status="submitted", tracked=tracked, opened=opened)
    Delivery.objects.bulk_create(
        Delivery(send_id=send.pk, subscriber_id=one.pk, batch_id=batch.pk, seen=bits) for one, bits in seen.items()
    )
    return send


def left_out() -> set[str]:
    return set(Suppression.objects.filter(reason="sunset").values_list("address", flat=True))


def test_only_tracked_readers_who_did_nothing_are_silent(weekly: Publication) -> None:
    """An open alone keeps a reader, as a click does; opens of machines have no bit, so whoever has only those is judged by clicks."""
    silent, opener, clicker, lately, untracked, refused, machine = (
        reader(weekly, tracking)
        for tracking in ("granted", "granted", "granted", "granted", "unknown", "denied", "granted")
    )
    send = sent(weekly, dict.fromkeys((silent, opener, clicker, lately, untracked, refused, machine), TAKEN))
    Event.objects.create(
        key=b"1", send_id=send.pk, subscriber_id=machine.pk, kind="opened", at=timezone.now(), machine=True
    )
    sent(
        weekly,
        {
            silent: TAKEN,
            opener: OPENED,
            clicker: CLICKED,
            lately: TAKEN,
            untracked: TAKEN,
            refused: TAKEN,
            machine: TAKEN,
        },
    )
    sent(weekly, dict.fromkeys((silent, opener, clicker, lately, untracked, refused, machine), TAKEN), weeks_ago=9)
    sent(weekly, {lately: OPENED}, weeks_ago=0.1)

    assert sunset._silent(weekly) == sorted([silent.email, machine.email])
    weekly.track_unknown = True
    assert sunset._silent(weekly) == sorted([silent.email, machine.email, untracked.email])


@pytest.mark.parametrize(
    "third",
    [{"weeks_ago": 11}, {"weeks_ago": 0.5}, {"tracked": False}, {"opened": 0}],
    ids=["too old", "too young to be read", "not tracked", "nothing was reported of it"],
)
def test_what_does_not_count_against_a_reader(weekly: Publication, third: dict[str, Any]) -> None:
    one = reader(weekly)
    for _ in range(2):
        sent(weekly, {one: TAKEN})
    sent(weekly, {one: TAKEN}, **third)

    assert sunset._silent(weekly) == []
    sent(weekly, {one: 0})
    assert sunset._silent(weekly) == []
    sent(weekly, {one: TAKEN})
    assert sunset._silent(weekly) == [one.email]


@pytest.fixture
def three_silent(weekly: Publication) -> list[Subscriber]:
    readers = [reader(weekly) for _ in range(3)]
    for _ in range(3):
        sent(weekly, dict.fromkeys(readers, TAKEN))
    return readers


def test_nobody_is_left_out_before_somebody_agreed_to_the_number(
    weekly: Publication, three_silent: list[Subscriber]
) -> None:
    assert (sunset.keep(), sunset.keep(), left_out()) == (0, 0, set())
    alarm = Alarm.objects.get(cleared_at=None)
    assert (alarm.code, alarm.publication) == ("sunset", weekly)
    assert "3 readers opened and clicked nothing of 3 editions within 10 weeks" in alarm.message

    with pytest.raises(InputError, match="it is 3 readers by now"):
        sunset.confirm(weekly, 2, who="ada")
    sunset.confirm(weekly, 3, who="ada")

    assert (left_out(), Alarm.objects.filter(cleared_at=None).exists()) == (set(), False)
    assert (sunset.keep(), sunset.keep()) == (3, 0)
    assert left_out() == {one.email for one in three_silent}
    row = Suppression.objects.first()
    assert row is not None
    assert (row.publication, row.detail) == (weekly, "3 editions within 10 weeks neither opened nor clicked")
    prepared = preparing.prepare(make_send(approval=make_approval(make_edition(weekly)), lists=[make_list(weekly)]).pk)
    assert prepared is not None
    assert prepared.excluded == {"sunset": 3}


def test_more_readers_or_another_rule_are_asked_for_again(weekly: Publication, three_silent: list[Subscriber]) -> None:
    sunset.confirm(weekly, 3, who="ada")
    sunset.keep()
    many = [reader(weekly) for _ in range(4)]
    for _ in range(3):
        sent(weekly, dict.fromkeys(many, TAKEN))
    assert (sunset.keep(), Alarm.objects.filter(cleared_at=None).count()) == (0, 1)

    sunset.confirm(weekly, 4, who="ada")
    weekly.sunset_weeks = 12
    weekly.save()
    assert sunset.keep() == 0
    assert left_out() == {one.email for one in three_silent}


def test_three_ways_back(weekly: Publication, three_silent: list[Subscriber]) -> None:
    sunset.confirm(weekly, 3, who="ada")
    sunset.keep()
    lifted, chooses, clicks = three_silent

    lift(lifted.email, why="She wrote that she reads it")
    choose(chooses.pk, weekly.pk, [make_list(weekly).pk], source="preferences page")
    send = Send.objects.first()
    assert send is not None
    Event.objects.create(
        key=b"2", send_id=send.pk, subscriber_id=clicks.pk, kind="clicked", at=timezone.now() + timedelta(seconds=1)
    )

    assert sunset.keep() == 0
    assert left_out() == set()
    assert set(LiftedSuppression.objects.values_list("reason", "publication_id", "why")) == {
        ("sunset", weekly.pk, "She wrote that she reads it"), ("sunset", weekly.pk, "preferences page"),
        ("sunset", weekly.pk, "followed a link"),
    }  # fmt: skip


def test_everybody_is_brought_back_at_once(weekly: Publication, three_silent: list[Subscriber]) -> None:
    sunset.confirm(weekly, len(three_silent), who="ada")
    sunset.keep()

    assert sunset.lift_all(weekly, why="Opens were not reported in May") == 3
    assert (left_out(), sunset.keep()) == (set(), 0)


def test_without_a_rule_or_tracking_nobody_is_silent(weekly: Publication, three_silent: list[Subscriber]) -> None:
    assert sunset.standing(weekly) == sunset.Standing(is_on=True, silent=3, left_out=0, confirmed=False)
    weekly.tracking = False
    assert sunset.standing(weekly) == sunset.Standing(is_on=False, silent=0, left_out=0, confirmed=False)
    with pytest.raises(InputError, match="no sunset rule is set"):
        sunset.confirm(weekly, len(three_silent), who="ada")
