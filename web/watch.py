"""What each process of the web knows of the rest, looked up by threads of its own: no request has to ask.

A request that asked would wait with what stands still. While the database does not answer, only the watch asks it, once for each process and ever
less often; everybody else is told to come again (`web/availability.py`).
"""

import random
import threading
import time

import structlog
from django.conf import settings
from django.db import connection

from newsdesk.core import disk_space, last_recovery, redis_client
from newsdesk.core.postgres import patience
from tasks.celery import app

log = structlog.get_logger(__name__)

#: Seconds from one look to the next, and the longest that the database is left alone while it does not answer.
INTERVAL = 1.0
LONGEST_INTERVAL = 4.0
#: Seconds within which the database must answer. A busy machine is not one that is away.
DATABASE_PATIENCE = 3.0
#: An answer of a worker holds this long, so that the question costs the workers nothing.
WORKER_ANSWER_HOLDS = 5.0
WORKER_PATIENCE = 0.8
#: Seconds. Beat has recovery run every ten.
BEAT_PATIENCE = 60.0
#: Seconds after its time at which a send is overdue: beat looks every five.
SEND_PATIENCE = 120.0
OK, NO_ANSWER = "ok", "no answer"
#: What must answer for the whole to be healthy; the rest is told.
ESSENTIAL = ("database", "broker", "worker", "beat")
_OVERDUE = """
SELECT EXTRACT(EPOCH FROM statement_timestamp() - min(scheduled_at))::float8 FROM tasks_send
 WHERE status = 'scheduled' AND scheduled_at < statement_timestamp()
"""


def look_at_database() -> dict[str, str]:
    """Whether the database answers, and whether a send is overdue."""
    try:
        with patience.at_most(DATABASE_PATIENCE), connection.cursor() as cursor:
            cursor.execute(_OVERDUE)
            (late,) = cursor.fetchone()
    except Exception as error:  # noqa: BLE001 - without its thread the watch would tell for ever what it saw last
        log.warning("database_away", error=str(error).strip())
        return {"database": NO_ANSWER, "sends": "unknown"}
    is_late = late is not None and late > SEND_PATIENCE
    return {"database": OK, "sends": f"one is {late:.0f} s late" if is_late else OK}


def look_at_broker() -> dict[str, str]:
    """Whether the broker answers, and how long ago beat last had recovery run."""
    try:
        client = redis_client.client(settings.REDIS_URL)
        client.ping()
        age = last_recovery.age(client)
    except Exception as error:  # noqa: BLE001 - as above
        log.info("broker_away", error=str(error))
        return {"broker": NO_ANSWER, "beat": NO_ANSWER}
    if age is None:
        return {"broker": OK, "beat": NO_ANSWER}
    return {"broker": OK, "beat": OK if age < BEAT_PATIENCE else f"last seen {age:.0f} s ago"}


def worker_answers() -> bool:
    try:
        # Without a limit Celery would wait for the whole time, in case more workers answer.
        return bool(app.control.broadcast("ping", reply=True, limit=1, timeout=WORKER_PATIENCE))
    except Exception as error:  # noqa: BLE001 - as above
        log.info("worker_not_asked", error=str(error))
        return False


class Watch:
    """What was last seen, by name: "ok" or what is wrong."""

    def __init__(self) -> None:
        self._is_running = False
        self._doubted = threading.Event()
        self._stopped = threading.Event()
        # One for each thread, so that neither overwrites what the other has seen.
        self._of_database: dict[str, str] = {}
        self._of_rest: dict[str, str] = {}
        self._worker_until = 0.0

    def start(self) -> None:
        """Look for ever, in two threads: what stands still at one end must not hide the other."""
        self._is_running = True
        for look in (self._watch_database, self._watch_rest):
            threading.Thread(target=look, name=look.__name__, daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._is_running = False
        self._stopped.set()
        self.doubt()

    def state(self) -> dict[str, str]:
        """All that is known. Where no thread looks (another server than ours, a test), it looks now."""
        if not self._is_running:
            self._of_database = look_at_database()
            self._look_at_rest()
        seen = {**self._of_database, **self._of_rest}
        free = disk_space.free_percent(settings.HOME.path)
        disk = OK if free >= disk_space.LEAST else f"{free:.1f} % free"
        return {**{name: seen.get(name, NO_ANSWER) for name in (*ESSENTIAL, "sends")}, "disk": disk}

    @property
    def database_is_away(self) -> bool:
        """Whether it did not answer when it was last asked."""
        return self._is_running and self._of_database.get("database") == NO_ANSWER

    def doubt(self) -> None:
        """A request got no answer of the database: look now."""
        self._doubted.set()

    def forget(self) -> None:
        """Know nothing any more."""
        self._of_database, self._of_rest, self._worker_until = {}, {}, 0.0

    def _watch_database(self) -> None:
        pause = INTERVAL
        while not self._stopped.is_set():
            self._of_database = look_at_database()
            if self.database_is_away:
                connection.close()
                # Not all processes of all machines in the same moment.
                self._stopped.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
                pause = min(pause * 2, LONGEST_INTERVAL)
            else:
                pause = INTERVAL / 2
                self._doubted.wait(INTERVAL)
                self._doubted.clear()

    def _watch_rest(self) -> None:
        while not self._stopped.is_set():
            began = time.monotonic()
            self._look_at_rest()
            self._stopped.wait(max(0.0, INTERVAL - (time.monotonic() - began)))

    def _look_at_rest(self) -> None:
        found = look_at_broker()
        # A broker that is away would make the question to the workers wait for its reconnection.
        if found["broker"] != OK:
            found["worker"] = NO_ANSWER
        elif time.monotonic() >= self._worker_until:
            answers = worker_answers()
            self._worker_until = time.monotonic() + (WORKER_ANSWER_HOLDS if answers else 0.0)
            found["worker"] = OK if answers else NO_ANSWER
        self._of_rest = {**self._of_rest, **found}


watch = Watch()
