"""Messages hold times of the sender's clock; on arrival they are moved to the worker's, by the broker's clock between them.

That a worker whose clock is minutes wrong does what beat asks for, and when, `tests/machines` shows with real clocks.
"""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from celery import current_app

from newsdesk.core import redis_client
from tasks import broker_clock
from tasks.broker_clock import AHEAD, moved

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def in_queue(url: str, **options: float) -> dict[str, object]:
    """The headers of a message as the broker got it."""
    client = redis_client.client(url)
    with current_app.connection_for_write(url) as connection:
        current_app.send_task("tasks.sweep", connection=connection, retry=False, **options)
    message = client.rpop("errands")
    assert isinstance(message, bytes)
    return dict(json.loads(message)["headers"])


@pytest.fixture
def clock_ahead(valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The clock here is three minutes ahead of the broker's; the broker's URL."""

    class Ahead:
        monotonic = staticmethod(time.monotonic)

        @staticmethod
        def time() -> float:
            return time.time() + 180

    monkeypatch.setattr("django.conf.settings.REDIS_URL", valkey_url)
    monkeypatch.setattr(broker_clock, "time", Ahead)
    monkeypatch.setattr(broker_clock, "_measured", broker_clock._Measured())
    return valkey_url


def test_a_message_with_a_time_says_how_wrong_its_senders_clock_is(clock_ahead: str) -> None:
    headers = in_queue(clock_ahead, expires=20)

    assert headers[AHEAD] == pytest.approx(180, abs=5)
    assert AHEAD in in_queue(clock_ahead, countdown=2)


def test_a_message_without_a_time_asks_the_broker_nothing(clock_ahead: str) -> None:
    assert AHEAD not in in_queue(clock_ahead)


def test_a_broker_that_does_not_say_the_time_leaves_it_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.conf.settings.REDIS_URL", "redis+socket:///nowhere/none.sock")
    measured = broker_clock._Measured()

    assert measured.ahead() is None
    assert measured.ahead() is None


@pytest.mark.parametrize(
    ("sender", "here", "by"),
    [(0.0, 180.0, 180), (180.0, 0.0, -180), (180.0, -180.0, -360), (180.0, 180.1, None), (-3.0, -3.0, None)],
)
def test_times_are_moved_by_what_lies_between_the_two_clocks(sender: float, here: float, by: int | None) -> None:
    headers = {AHEAD: sender, "eta": NOON.isoformat(), "expires": None, "task": "tasks.sweep"}

    expected = {} if by is None else {"eta": (NOON + timedelta(seconds=by)).isoformat()}
    assert moved(headers, here) == expected


def test_both_times_of_a_message_are_moved() -> None:
    late = (NOON + timedelta(minutes=1)).isoformat()

    assert moved({AHEAD: 0, "eta": NOON.isoformat(), "expires": late}, 60) == {
        "eta": late,
        "expires": (NOON + timedelta(minutes=2)).isoformat(),
    }
