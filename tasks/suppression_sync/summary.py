"""The numbers of a sync for people and programs, and the alarm when they show that webhooks get lost."""

from typing import Any

from tasks.alarms.raising import raise_alarm
from tasks.models import Alarm, SuppressionSync
from tasks.providers.registry import provider_of, title_of

#: So many of our readers missing, or this share of the entries and more than a handful, means that webhooks get lost.
ALARM_NUMBER = 100
ALARM_SHARE = 0.01
HANDFUL = 5
_NUMBERS = ("theirs", "known", "added", "freed", "lost")


def summary(sync: SuppressionSync) -> dict[str, Any]:
    """The JSON contract of `newsdesk compare-suppressions`."""
    known = provider_of(sync.transport)
    lists = known.suppression_lists.lists if known and known.suppression_lists else ()
    return {
        "comparison": sync.pk,
        "finished": sync.finished_at is not None,
        "error": sync.error,
        "lists": {
            one.name: {number: sync.found.get(one.name, {}).get(number, 0) for number in _NUMBERS} for one in lists
        },
    }


def alarm_if_webhooks_get_lost(sync: SuppressionSync) -> None:
    """Raise the alarm when too many readers were missing of whom an event should have reached us."""
    lost = sum(result["lost"] for result in sync.found.values())
    theirs = sum(result["theirs"] for result in sync.found.values())
    if lost > ALARM_NUMBER or (lost > HANDFUL and lost > theirs * ALARM_SHARE):
        raise_alarm(
            Alarm.Code.SUPPRESSIONS_MISSING,
            f"{title_of(sync.transport)} had stopped mailing {lost} of our readers and no webhook had told us: webhooks get lost. They are "
            f"suppressed now ({sync.started_at:%Y-%m-%d}).",
        )
