"""Alarms are posted to NEWSDESK_ALARM_URL: each raising and each clearing at least once, in their order, by one worker at a time.

A row is written with the alarm, in its transaction; a clearing needs none, whoever made it. A worker takes the address for itself for a
while, posts what is next, and notes it: one that dies in between leaves the same to another, with the same id. While the address fails all
wait behind the first, with a back-off. Each is tried for a day; one whose body is refused for its own sake a few times.
"""

import time
from typing import NamedTuple
from urllib.parse import urlsplit

import structlog
import urllib3
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from tasks.alarms import post_bodies
from tasks.database.statements import run
from tasks.http.deadline import BodyBegunError, pool_manager
from tasks.models import Alarm, AlarmPost, AlarmWay
from tasks.throttling.back_off import back_off

log = structlog.get_logger(__name__)

#: Seconds for a whole POST; nothing of the answer but its status is read.
TIME = 10.0
#: Seconds for which a worker has the address for itself: more than a POST and its note take.
LEASE = 60.0
#: Seconds after which a worker turns to something else.
_SECONDS = 20.0
#: These answers are about the body: others may be taken. So many tries each.
_ITS_OWN_FAULT = frozenset({400, 413, 415, 422})
MOST_TRIES_OF_ITS_OWN = 5
#: What says that the address fails would only wait there behind the others.
_NOT_POSTED = frozenset({Alarm.Code.ALARM_URL.value})

# A wait of more than ten minutes comes from a clock that was ahead: `back_off` has none.
_TAKE = """
INSERT INTO tasks_alarmway AS w (name, not_before) VALUES (%s, statement_timestamp() + make_interval(secs => %s))
ON CONFLICT (name) DO UPDATE SET not_before = excluded.not_before
 WHERE w.not_before <= statement_timestamp() OR w.not_before > statement_timestamp() + interval '10 minutes'
RETURNING failures
"""
_FAILED = """
UPDATE tasks_alarmway SET failures = failures + 1, said = %s, not_before = statement_timestamp() + make_interval(secs => %s) WHERE name = %s
"""
_NEXT = """
SELECT n.alarm_id, n.event, n.tries, n.at < statement_timestamp() - interval '1 day'
  FROM (SELECT p.alarm_id, p.tries,
               CASE WHEN p.raising_posted_at IS NULL THEN 'raised' ELSE 'cleared' END AS event,
               CASE WHEN p.raising_posted_at IS NULL THEN a.raised_at ELSE a.cleared_at END AS at
          FROM tasks_alarmpost p JOIN tasks_alarm a ON a.id = p.alarm_id) n
 WHERE n.at IS NOT NULL ORDER BY n.at, n.alarm_id LIMIT 1
"""


class _Waiting(NamedTuple):
    alarm_id: int
    event: post_bodies.Event
    #: Of this event, so far.
    tries: int
    #: Its day is over.
    is_old: bool


class _Failure(NamedTuple):
    #: In words, without the address.
    said: str
    #: None: nothing answered.
    status: int | None = None


def write(alarm: Alarm) -> None:
    """Have an alarm posted, once the caller's transaction is durable, where an address is set. Raises the database's errors."""
    if settings.ALARM_URL and alarm.code not in _NOT_POSTED:
        AlarmPost.objects.create(alarm=alarm)


def post_waiting() -> int:
    """Post what waits, the oldest first, until one fails or some seconds are over; how many were taken. Raises the database's errors."""
    posted, until = 0, time.monotonic() + _SECONDS
    while settings.ALARM_URL and _next() and time.monotonic() < until:
        taken = run(_TAKE, (AlarmWay.Name.URL.value, LEASE))
        if not taken or not _post_next(failures=int(taken[0][0])):
            break
        posted += 1
    return posted


def post_test() -> str:
    """Post a test at once; what went wrong, or nothing. It is not tried again. Raises the database's errors."""
    failure = _post(*post_bodies.encoded(post_bodies.of_test()))
    return failure.said if failure else ""


def _next() -> _Waiting | None:
    rows = run(_NEXT, ())
    return _Waiting(*rows[0]) if rows else None


def _post_next(*, failures: int) -> bool:
    """Post what is next; the address is ours. False when it was not taken."""
    # Another worker may have posted meanwhile what was next before.
    waiting = _next()
    alarm = Alarm.objects.filter(pk=waiting.alarm_id).first() if waiting else None
    failure = None
    if waiting and alarm:
        failure = _post(*post_bodies.encoded(post_bodies.of_alarm(alarm, waiting.event)))
    with transaction.atomic():
        if waiting and failure:
            _note_failure(waiting, failure, failures=failures)
            return False
        if waiting:
            _note_posted(waiting)
        AlarmWay.objects.filter(name=AlarmWay.Name.URL).update(failures=0, said="", not_before=Now())
    return True


def _post(data: bytes, headers: dict[str, str]) -> _Failure | None:
    host = urlsplit(settings.ALARM_URL).hostname
    try:
        with pool_manager(deadline=TIME, connections=1) as pool:
            answer = pool.request(
                "POST",
                settings.ALARM_URL,
                body=data,
                headers=headers,
                timeout=urllib3.Timeout(total=TIME),
                redirect=False,
                preload_content=False,
            )
    except (urllib3.exceptions.HTTPError, BodyBegunError, OSError, ValueError) as error:
        # What it says may name the address, and whoever has that can write there: only the host is logged.
        log.warning("alarm_not_posted", host=host, error=type(error).__name__)
        return _Failure(f"it does not answer: {type(error).__name__}")
    if 200 <= answer.status < 300:
        return None
    log.warning("alarm_post_refused", host=host, status=answer.status)
    return _Failure(f"it answered {answer.status}", answer.status)


def _note_posted(waiting: _Waiting) -> None:
    post = AlarmPost.objects.filter(pk=waiting.alarm_id)
    if waiting.event == "cleared":
        post.delete()
    else:
        post.filter(raising_posted_at=None).update(raising_posted_at=Now(), tries=0)
    log.info("alarm_posted", alarm=waiting.alarm_id, what=waiting.event)


def _note_failure(waiting: _Waiting, failure: _Failure, *, failures: int) -> None:
    tries = waiting.tries + 1
    post = AlarmPost.objects.filter(pk=waiting.alarm_id)
    if waiting.is_old or (failure.status in _ITS_OWN_FAULT and tries >= MOST_TRIES_OF_ITS_OWN):
        # Nor is the clearing posted of what nobody there has heard of.
        post.delete()
        log.error("alarm_post_given_up", alarm=waiting.alarm_id, what=waiting.event, tries=tries, said=failure.said)
    else:
        post.update(tries=F("tries") + 1)
    run(_FAILED, (failure.said, back_off(failures + 1), AlarmWay.Name.URL.value))
