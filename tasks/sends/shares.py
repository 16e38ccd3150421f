"""Which shares of a send's readers were refused, bounced or complained, and the alarms about a send that is over."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from tasks.alarms.raising import raise_alarm
from tasks.models import Alarm, Send

#: The share of failed readers above which a send that is over is an alarm.
FAILED_AT_THE_END = 0.05
#: Of fewer readers, or with a single one who fared so, a share says nothing.
_FEWEST = 100
_LEAST = 2

#: Nearly all bounces and complaints come within these.
_STILL_HEARD_OF = timedelta(days=3)

_READ = """
SELECT send_id, COALESCE(sum(CASE WHEN status IN ('submitted', 'failed') THEN size - excluded ELSE failed END), 0),
       COALESCE(sum(CASE WHEN status = 'failed' THEN size - excluded ELSE failed END), 0),
       COALESCE(sum(bounced), 0), COALESCE(sum(complained), 0), COALESCE(sum(dropped), 0)
  FROM tasks_batch WHERE send_id = ANY(%s) GROUP BY send_id
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shares:
    """Readers of a send for whom there was an answer (`answered`), and how many of them fared badly."""

    answered: int = 0
    failed: int = 0
    bounced: int = 0
    complained: int = 0
    dropped: int = 0


def read(send_id: int) -> Shares:
    """As they stand now. Raises the database's errors."""
    return _read([send_id]).get(send_id, Shares())


def in_words(readers: int, *, of: int, what: str) -> str:
    """For example "61 of 1000 readers were refused (6.1 %)"."""
    return f"{readers} of {of} readers {what} ({100 * readers / of:.{1 if 100 * readers >= of else 2}f} %)"


def alarm_if_many_failed(send_id: int) -> None:
    """Raise the alarm about a send that is `sent` although more than 5 % of its readers failed; once, however often it is called."""
    _alarm_if_many_failed(send_id, read(send_id))


def look_at_finished() -> None:
    """Raise the alarms about sends that ended lately: too many failed, or were reported since; each once.

    Whoever finished one may have died before its alarm. Raises the database's errors.
    """
    finished = Send.objects.filter(finished_at__gt=Now() - _STILL_HEARD_OF, status=Send.Status.SENT)
    for send_id, now in _read(list(finished.values_list("pk", flat=True))).items():
        _alarm_if_many_failed(send_id, now)
        _alarm_if_rates_are_high(send_id, now)


def _read(send_ids: list[int]) -> dict[int, Shares]:
    """Of each send with batches."""
    if not send_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_READ, [send_ids])
        return {
            send_id: Shares(
                answered=int(answered),
                failed=int(failed),
                bounced=int(bounced),
                complained=int(complained),
                dropped=int(dropped),
            )
            for send_id, answered, failed, bounced, complained, dropped in cursor.fetchall()
        }


def _alarm_if_many_failed(send_id: int, now: Shares) -> None:
    if not now.answered or now.failed <= FAILED_AT_THE_END * now.answered:
        return
    finished_at = Send.objects.values_list("finished_at", flat=True).get(pk=send_id)
    if Alarm.objects.filter(send_id=send_id, code=Alarm.Code.MANY_FAILED, raised_at__gte=finished_at).exists():
        return
    told = in_words(now.failed, of=now.answered, what="were refused and have not got it")
    raise_alarm(Alarm.Code.MANY_FAILED, f"Send {send_id} is over, but {told}.", send_id=send_id, mail=True)


def _alarm_if_rates_are_high(send_id: int, now: Shares) -> None:
    """The shares are those of NEWSDESK_ALARM_BOUNCED and _COMPLAINED. Where the send paused itself for the same, somebody has
    seen to it already.
    """
    for code, readers, most, what, paused_for in (
        (Alarm.Code.BOUNCE_RATE, now.bounced, settings.ALARM_BOUNCED, "bounced", Alarm.Code.MANY_BOUNCED),
        (
            Alarm.Code.COMPLAINT_RATE,
            now.complained,
            settings.ALARM_COMPLAINED,
            "complained",
            Alarm.Code.MANY_COMPLAINED,
        ),
    ):
        few = now.answered < _FEWEST or readers < _LEAST
        if not most or few or 100 * readers <= most * now.answered:
            continue
        if Alarm.objects.filter(send_id=send_id, code__in=[code, paused_for]).exists():
            continue
        told = in_words(readers, of=now.answered, what=what)
        raise_alarm(code, f"Send {send_id} is over, and {told}, more than {most:g} %.", send_id=send_id, mail=True)
