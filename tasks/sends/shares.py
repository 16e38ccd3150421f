"""Which shares of a send's readers were refused, bounced or complained, and the alarms about a send that is over."""

from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from tasks.alarms.raising import raise_alarm
from tasks.models import Alarm, Send

#: The share of failed readers above which a send that is over is an alarm.
FAILED_AT_THE_END = 0.05
#: Of fewer readers, or with a single one who fared so, a share says nothing.
_FEWEST = 100
_LEAST = 2

_READ = """
SELECT COALESCE(sum(CASE WHEN status IN ('submitted', 'failed') THEN size - excluded ELSE failed END), 0),
       COALESCE(sum(CASE WHEN status = 'failed' THEN size - excluded ELSE failed END), 0),
       COALESCE(sum(bounced), 0), COALESCE(sum(complained), 0)
  FROM tasks_batch WHERE send_id = %s
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shares:
    """Readers of a send for whom there was an answer (`answered`), and how many of them fared badly."""

    answered: int
    failed: int
    bounced: int
    complained: int


def read(send_id: int) -> Shares:
    """As they stand now. Raises the database's errors."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, [send_id])
        answered, failed, bounced, complained = map(int, cursor.fetchone())
    return Shares(answered=answered, failed=failed, bounced=bounced, complained=complained)


def in_words(readers: int, *, of: int, what: str) -> str:
    """For example "61 of 1000 readers were refused (6.1 %)"."""
    return f"{readers} of {of} readers {what} ({100 * readers / of:.{1 if 100 * readers >= of else 2}f} %)"


def alarm_if_many_failed(send_id: int) -> None:
    """Raise the alarm about a send that is `sent` although more than 5 % of its readers failed; once, however often it is called."""
    shares = read(send_id)
    if not shares.answered or shares.failed <= FAILED_AT_THE_END * shares.answered:
        return
    finished_at = Send.objects.values_list("finished_at", flat=True).get(pk=send_id)
    if Alarm.objects.filter(send_id=send_id, code=Alarm.Code.MANY_FAILED, raised_at__gte=finished_at).exists():
        return
    told = in_words(shares.failed, of=shares.answered, what="were refused and have not got it")
    raise_alarm(Alarm.Code.MANY_FAILED, f"Send {send_id} is over, but {told}.", send_id=send_id, mail=True)


def alarm_if_rates_are_high(send_id: int) -> None:
    """Raise the alarms about a send that is over and bounced or was complained of too often; each once.

    The shares are those of NEWSDESK_ALARM_BOUNCED and _COMPLAINED. Where the send paused itself for the same, somebody has seen to
    it already. Raises the database's errors.
    """
    now = read(send_id)
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
