"""Which shares of a send's readers were refused, bounced or complained, and the alarm about a send that is over."""

from dataclasses import dataclass

from django.db import connection

from tasks.alarms.raising import raise_alarm
from tasks.models import Alarm, Send

#: The share of failed readers above which a send that is over is an alarm.
FAILED_AT_THE_END = 0.05

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
    return f"{readers} of {of} readers {what} ({100 * readers / of:.1f} %)"


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
