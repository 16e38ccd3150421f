"""Times in Celery messages are the broker's, whatever the clocks of the machines say.

Celery writes when a message may run and until when it is worth it by the clock of whoever sends, and reads it by the clock of
whoever runs. Where the worker's is a minute ahead of beat's, all that beat sends would be too old on arrival. So each message
says by how much its sender's clock was ahead of the broker's, and its times are moved on arrival.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

import redis
from celery import Task
from celery.signals import before_task_publish
from celery.worker.strategy import default
from django.conf import settings

from newsdesk.core import redis_client

#: Of a message: seconds by which its sender's clock was ahead of the broker's.
AHEAD = "nd_clock_ahead"
#: Seconds for which what was measured holds; what could not be measured is not tried again for as long.
_HOLDS = 10.0
#: Seconds. Clocks that NTP keeps differ by less, and so does the measuring.
_TOLERANCE = 0.5
_TIMES = ("eta", "expires")


class _Measured:
    """The clock here against the broker's. A difference holds after a fork too: it is the machine's."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._ahead: float | None = None
        self._until = 0.0

    def ahead(self) -> float | None:
        """Seconds by which the clock here is ahead of the broker's; None when the broker did not say."""
        if time.monotonic() >= self._until and self._lock.acquire(blocking=False):
            try:
                self._ahead = _measure()
                self._until = time.monotonic() + _HOLDS
            finally:
                self._lock.release()
        return self._ahead


def _measure() -> float | None:
    try:
        before = time.time()
        seconds, microseconds = redis_client.client(settings.REDIS_URL).time()
        return (before + time.time()) / 2 - (seconds + microseconds / 1_000_000)
    except (redis.RedisError, OSError):
        return None


_measured = _Measured()


@before_task_publish.connect
def _say(headers: dict[str, Any] | None = None, **_: object) -> None:
    """Only where the message holds a time: most do not, and the web must not wait for the broker twice."""
    if headers and any(headers.get(name) for name in _TIMES):
        ahead = _measured.ahead()
        if ahead is not None:
            headers[AHEAD] = ahead


def moved(headers: dict[str, Any], ahead: float) -> dict[str, Any]:
    """The times of a message's headers by a clock that is so many seconds ahead of the broker's; what is not there stays away."""
    difference = ahead - float(headers[AHEAD])
    if abs(difference) < _TOLERANCE:
        return {}
    by = timedelta(seconds=difference)
    return {name: (datetime.fromisoformat(headers[name]) + by).isoformat() for name in _TIMES if headers.get(name)}


def strategy(task: Any, app: Any, consumer: Any, **options: Any) -> Callable[..., Any]:
    """Celery's, for messages whose times are moved to the clock here."""
    handle = default(task, app, consumer, **options)

    def handle_by_our_clock(message: Any, *arguments: Any, **named: Any) -> Any:
        if AHEAD in message.headers:
            ahead = _measured.ahead()
            if ahead is not None:
                message.headers.update(moved(message.headers, ahead))
        return handle(message, *arguments, **named)

    return handle_by_our_clock


class ByBrokersClock(Task):
    """The class of all our tasks."""

    abstract = True
    Strategy = "tasks.broker_clock:strategy"
