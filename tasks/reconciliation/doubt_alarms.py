"""An unknown batch that will not settle by itself, or has not for an hour, tells a person: one alarm for each send."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from django.conf import settings
from django.db import connection

from tasks.alarms.raising import clear_alarms, raise_alarm
from tasks.models import Alarm
from tasks.models.batch import live_sql
from tasks.providers import registry

log = structlog.get_logger(__name__)

#: Seconds. Most events of an accepted request are here within minutes.
PATIENCE = 3600.0
#: Where only an event can settle it: an accepted request is heard of by then, or nothing may come any more.
PATIENCE_FOR_EVENTS = 300.0
#: Beat's, by which the message of an open alarm is kept up to date.
_BETWEEN_LOOKS = timedelta(minutes=1)

#: A batch without an attempt was found unknown when the database had moved: its send's preparation is all that is dated.
_UNDECIDED = f"""
SELECT b.send_id, COALESCE(a.transport, ''), {live_sql("b")}, since.at,
       EXTRACT(EPOCH FROM statement_timestamp() - since.at)::float8, COALESCE(a.evidence @> '[{{"kind": "ground_moved"}}]', false)
  FROM tasks_batch b
  JOIN tasks_send s ON s.id = b.send_id
  LEFT JOIN tasks_attempt a ON a.id = b.attempt
 CROSS JOIN LATERAL (SELECT COALESCE(a.finished_at, a.fenced_at, s.prepared_at, s.created_at) AS at) AS since
 WHERE b.status = 'unknown' AND b.left_after_claims IS DISTINCT FROM b.attempts
 ORDER BY b.send_id, since.at
"""  # noqa: S608 - made of constants


@dataclass(frozen=True, kw_only=True, slots=True)
class _Unknown:
    send_id: int
    #: Of the attempt; empty when the batch has none.
    transport: str
    readers: int
    since: datetime
    #: Seconds.
    age: float
    #: Another database serves than the one that was told of the attempt.
    database_moved: bool


class _Reason(NamedTuple):
    """Why a person is needed."""

    #: Its place among the reasons, the most certain first.
    place: int
    words: str
    #: Seconds for which a batch must have been unknown.
    after: float = 0.0


def look() -> None:
    """Raise the alarms, keep the readers they name up to date, clear those of sends about which nothing is undecided.

    One that a person has cleared comes back only with a batch that began to need a person after it. Raises the database's errors.
    """
    undecided = _undecided()
    told = Alarm.objects.filter(code=Alarm.Code.IN_DOUBT, cleared_at=None).values_list("send_id", flat=True)
    for send_id in set(told).difference(undecided):
        log.info("doubts_settled", send=send_id)
        clear_alarms(Alarm.Code.IN_DOUBT, send_id=send_id)
    for send_id, unknown in undecided.items():
        if reasons := _reasons(unknown):
            newest = max(row.since + timedelta(seconds=reason.after) for row, reason in reasons)
            _tell(send_id, _message(reasons), newest=newest)


def in_doubt() -> dict[int, str]:
    """By the id of each send that waits for a decision about unknown batches: how many readers, and why they wait."""
    return {send_id: _message(reasons) for send_id, unknown in _undecided().items() if (reasons := _reasons(unknown))}


def _tell(send_id: int, message: str, *, newest: datetime) -> None:
    """`newest`: when the last of them began to need a person; who clears an alarm has read of all that did until a look before."""
    last = Alarm.objects.filter(code=Alarm.Code.IN_DOUBT, send_id=send_id).order_by("-pk").first()
    if last is not None and last.cleared_at is None:
        Alarm.objects.filter(pk=last.pk).exclude(message=message).update(message=message)
        return
    read_until = max(last.raised_at, last.cleared_at - _BETWEEN_LOOKS) if last and last.cleared_at else None
    if read_until is None or newest > read_until:
        raise_alarm(Alarm.Code.IN_DOUBT, message, send_id=send_id, mail=True)


def _undecided() -> dict[int, list[_Unknown]]:
    """Unknown batches that nobody has left as they are, by send, the oldest first."""
    by_send: dict[int, list[_Unknown]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_UNDECIDED)
        for send_id, transport, readers, since, age, moved in cursor.fetchall():
            row = _Unknown(
                send_id=send_id, transport=transport, readers=readers, since=since, age=age, database_moved=moved
            )
            by_send.setdefault(send_id, []).append(row)
    return by_send


def _reasons(unknown: Sequence[_Unknown]) -> list[tuple[_Unknown, _Reason]]:
    """Those that need a person, each with why."""
    return [(row, reason) for row in unknown if (reason := _why(row))]


def _message(reasons: Sequence[tuple[_Unknown, _Reason]]) -> str:
    """How many readers wait for a decision, and why, for the most certain reason."""
    readers = sum(row.readers for row, _ in reasons)
    whose = f"{readers:,} reader{' is' if readers == 1 else 's are'}"
    why = min(reason for _, reason in reasons)
    return f"{whose} in doubt: nobody saw whether the provider took their mails. {why.words}"


def _why_unreported(row: _Unknown) -> _Reason | None:
    """Of a transport whose silence proves nothing: there is hope only where each mail's arrival is reported too."""
    title = registry.title_of(row.transport)
    if not registry.reports_by_mail(row.transport):
        return _Reason(1, f"{title} never tells later, so a person must decide: newsdesk settle.")
    if not settings.SMTP_SUCCESS_REPORTS:
        return _Reason(
            1,
            f"{title} tells later only of mails that come back, so that silence proves nothing. Unless one does, a person "
            "must decide: newsdesk settle.",
        )
    if row.age > PATIENCE:
        return _Reason(
            1,
            f"{title} was asked to report each mail that arrives, and for more than an hour has not: a person must decide: "
            "newsdesk settle.",
            after=PATIENCE,
        )
    return None


def _why(row: _Unknown) -> _Reason | None:
    """Why a person is needed; None when it may still settle by itself soon."""
    if row.transport and not registry.reports(row.transport):
        return _why_unreported(row)
    if row.transport and row.transport != registry.get_transport().name:
        return _Reason(
            2,
            "They were sent with another key than the one in use now, whose silence proves nothing any more. Unless an "
            "event comes, a person must decide: newsdesk settle.",
        )
    if row.database_moved and row.age > PATIENCE_FOR_EVENTS:
        return _Reason(
            3,
            "Another database serves since they were sent, and what the other was told of them may be lost, so that silence proves "
            "nothing. Unless an event comes, a person must decide: newsdesk settle.",
            after=PATIENCE_FOR_EVENTS,
        )
    if row.age > PATIENCE:
        return _Reason(
            4,
            "For more than an hour nothing has proved either. It may yet settle by itself; a person can decide before: "
            "newsdesk settle.",
            after=PATIENCE,
        )
    return None
