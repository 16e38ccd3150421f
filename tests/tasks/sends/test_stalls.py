"""A send whose readers wait for ever, each time with a good reason, tells a person."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tasks.models import Action, Alarm, Attempt, Batch, Send, TransportState, WarmUp
from tasks.sends import control, stalls
from tests.factories import make_attempt, make_batch, make_prepared_send
from tests.tasks.submission.batches import submit

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(minutes=61)
LATELY = timedelta(minutes=59)


def ago(time: timedelta) -> Any:
    return timezone.now() - time


def codes() -> list[str]:
    return list(Alarm.objects.filter(cleared_at=None).order_by("pk").values_list("code", flat=True))


@pytest.fixture
def stalled() -> Send:
    """Never tried, though its time was over an hour ago."""
    send = make_prepared_send(3)
    Batch.objects.filter(send=send).update(not_before=ago(LONG_AGO))
    return send


def test_a_provider_that_says_too_many_for_ever(transport: Any, fault: Any) -> None:
    fault("rate-limit", times=1)
    send = make_prepared_send(3)
    assert submit(send, transport).status == "pending"
    stalls.look()
    assert codes() == []
    Attempt.objects.update(fenced_at=ago(LONG_AGO))

    stalls.look()
    stalls.look()

    assert codes() == ["stalled"]
    message = Alarm.objects.get().message
    assert "3 readers wait, and nothing of it was accepted" in message
    assert "asked to wait" in message

    TransportState.objects.update(throttled_until=None)
    Batch.objects.update(not_before=ago(LATELY))
    assert submit(send, transport).status == "submitted"
    stalls.look()
    assert codes() == []


def test_nobody_took_it_up(stalled: Send) -> None:
    stalls.look()

    assert Alarm.objects.get().send == stalled
    assert control.cancel(stalled.pk)
    stalls.look()
    assert codes() == []


def test_who_has_seen_it_is_told_again_after_a_day(stalled: Send) -> None:
    stalls.look()
    Alarm.objects.update(cleared_at=timezone.now())
    stalls.look()
    assert codes() == []

    Alarm.objects.update(raised_at=ago(timedelta(hours=25)))
    stalls.look()

    assert codes() == ["stalled"]


def tried(send: Send, *, ages: list[timedelta], in_a_row: int, **fields: Any) -> None:
    """So many requests of its batch so long ago, of which the last `in_a_row` got nobody further; the next is due in a minute."""
    batch = Batch.objects.get(send=send)
    for number, age in enumerate(ages, start=1):
        make_attempt(batch, number=number, outcome="refused", fenced_at=ago(age))
    soon = ago(-timedelta(minutes=1))
    Batch.objects.filter(pk=batch.pk).update(attempts=len(ages), stalls=in_a_row, not_before=soon, **fields)


@pytest.mark.parametrize("fields", [{"rounds": 1}, {"mailbox_domain": "slow.example"}])
@pytest.mark.parametrize(
    ("ages", "in_a_row", "told"),
    [
        ([4 * LONG_AGO, LONG_AGO, LATELY], 2, ["stalled"]),
        ([4 * LONG_AGO, LONG_AGO, LATELY], 1, []),
        ([4 * LONG_AGO, LONG_AGO, LATELY], 0, []),
    ],
    ids=["in vain for an hour", "in vain since lately", "put off"],
)
def test_who_was_refused_or_put_off_before_hides_no_provider_that_is_away(
    stalled: Send, fields: dict[str, Any], ages: list[timedelta], in_a_row: int, told: list[str]
) -> None:
    tried(stalled, ages=ages, in_a_row=in_a_row, **fields)

    stalls.look()

    assert codes() == told


def test_a_batch_that_got_further_and_that_nobody_takes_up(stalled: Send) -> None:
    Batch.objects.update(rounds=1)

    stalls.look()

    assert codes() == ["stalled"]


@pytest.mark.parametrize(
    "change",
    [
        lambda send: Batch.objects.update(not_before=ago(LATELY)),
        lambda send: Batch.objects.update(mailbox_domain="slow.example"),
        lambda send: Batch.objects.update(rounds=1, not_before=ago(LATELY)),
        lambda send: Send.objects.update(status="paused"),
        lambda send: Action.objects.create(send=send, what="resumed", who="ada"),
        lambda send: make_attempt(
            make_batch(send, status="submitted"), outcome="accepted", fenced_at=ago(timedelta(minutes=1))
        ),
        lambda send: WarmUp.objects.create(
            domain=send.sender_domain, starts_on="2020-01-01", ceilings=[1], throttled_until=ago(-LONG_AGO)
        ),
    ],
    ids=["not for so long", "a mailbox provider", "greylisted", "paused", "just resumed", "it gets on", "warming up"],
)
def test_what_ends_by_itself_or_is_known_is_none(stalled: Send, change: Any) -> None:
    change(stalled)

    stalls.look()

    assert codes() == []
