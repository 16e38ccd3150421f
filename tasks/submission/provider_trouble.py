"""What an outcome means for the provider, beside what it means for its batch: the breaker, and the alarm about it."""

from tasks.alarms.raising import clear_alarms, raise_alarm
from tasks.models import Alarm
from tasks.throttling import breaker
from tasks.throttling.explanations import BREAKER_OPEN


def count_unknown(transport: str) -> None:
    """One more unknown in a row; the third opens the breaker and raises an alarm. `transport`: its name."""
    if since := breaker.count_unknown(transport):
        raise_alarm(Alarm.Code.BREAKER_OPEN, BREAKER_OPEN.format(since=since), mail=True)


def trust_again(transport: str) -> None:
    """The transport accepted something: the breaker closes, and its alarm is cleared."""
    breaker.close(transport)
    clear_alarms(Alarm.Code.BREAKER_OPEN)
