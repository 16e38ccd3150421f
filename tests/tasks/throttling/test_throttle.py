"""Everything waits when the provider asks for it: as long as it says, or longer each time where it does not say."""

import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from tasks.models import TransportState
from tasks.throttling import breaker, throttle

pytestmark = pytest.mark.django_db

NAME = "smtp:1"


@pytest.fixture(autouse=True)
def no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda _least, _most: 1.0)


def asked_to_wait() -> float:
    return throttle.throttle(NAME, seconds=None, why="It asked to wait.")


def over() -> None:
    TransportState.objects.update(throttled_until=timezone.now() - timedelta(seconds=1))


def test_each_refusal_in_a_row_doubles_the_wait() -> None:
    waits = []
    for _ in range(3):
        waits.append(asked_to_wait())
        over()

    assert waits == [2.0, 4.0, 8.0]


def test_requests_that_were_in_flight_together_are_one_refusal() -> None:
    asked_to_wait()
    assert 0 < asked_to_wait() <= 2.0
    over()

    assert asked_to_wait() == 4.0


@pytest.mark.parametrize("ends", [breaker.close, throttle.lift], ids=["accepted something", "a person lifts it"])
def test_when_it_goes_on_the_next_wait_is_short_again(ends: Callable[[str], None]) -> None:
    for _ in range(3):
        asked_to_wait()
        over()

    ends(NAME)

    assert asked_to_wait() == 2.0


def test_a_wait_that_was_asked_for_is_kept_and_a_shorter_one_does_not_end_it() -> None:
    assert throttle.current(NAME) is None
    assert throttle.throttle(NAME, seconds=300.0, why="five minutes") == 300.0
    throttle.throttle(NAME, seconds=10.0, why="ten seconds")

    running = throttle.current(NAME)
    assert running is not None
    assert 200 < running.seconds <= 300
    assert running.why == "ten seconds"
    throttle.lift(NAME)
    assert throttle.current(NAME) is None


def test_an_explanation_of_any_length_can_be_kept() -> None:
    throttle.throttle(NAME, seconds=60.0, why="x" * 1000)

    running = throttle.current(NAME)
    assert running is not None
    assert running.why == "x" * 300
