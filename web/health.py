"""Is this server able to do its work? For load balancers, orchestrators and `newsdesk up`."""

import threading
import time
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tasks.celery import app

#: An answer of a worker holds this long, so that frequent questions cost the workers nothing.
WORKER_ANSWER_HOLDS = 5.0
PATIENCE = 0.8


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def broker_answers() -> bool:
    url = settings.REDIS_URL.replace("redis+socket://", "unix://").replace("virtual_host=", "db=")
    try:
        with redis.Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE) as client:
            return bool(client.ping())
    except (redis.RedisError, OSError):
        return False


def worker_answers() -> bool:
    try:
        # Without a limit Celery would wait for the whole time, in case more workers answer.
        return bool(app.control.broadcast("ping", reply=True, limit=1, timeout=PATIENCE))
    except (redis.RedisError, OSError, app.OperationalError):
        return False


class Remembered:
    """Asks again only when the last good answer is too old; a bad one is not remembered."""

    def __init__(self, ask: Callable[[], bool], seconds: float) -> None:
        self.ask = ask
        self.seconds = seconds
        self._good_until = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> bool:
        with self._lock:
            if time.monotonic() >= self._good_until and self.ask():
                self._good_until = time.monotonic() + self.seconds
            return time.monotonic() < self._good_until

    def forget(self) -> None:
        self._good_until = 0.0


remembered_worker = Remembered(lambda: worker_answers(), WORKER_ANSWER_HOLDS)  # noqa: PLW0108 - looked up late


def state() -> dict[str, bool]:
    broker = broker_answers()
    # A broker that is away would make the question to the workers wait for its reconnection.
    return {"database": database_answers(), "broker": broker, "worker": broker and remembered_worker()}


@require_safe
@never_cache
def healthz(_request: HttpRequest) -> JsonResponse:
    """200 once database, broker and a worker answer, else 503; the body says which do."""
    answers = state()
    response = JsonResponse(
        {name: "ok" if good else "no answer" for name, good in answers.items()},
        status=200 if all(answers.values()) else 503,
    )
    # Whoever asks acts on the answer; Django would log an error for every question during a start.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response
