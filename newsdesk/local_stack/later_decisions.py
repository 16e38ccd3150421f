"""What people decided about sends after a backup was made: in the backup a send that was cancelled or reopened since is as before.

It waits for a person, who is told what the database had as it was. Nothing that was decided in favour of sending is carried over.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from django.db import connection

from tasks.alarms.raising import raise_alarm
from tasks.approvals.reopened_sends import WAS_PAUSED
from tasks.models import Alarm, Send
from tasks.sends import control
from tasks.sends.audit_trail import record_action

_STATES = """
SELECT s.id, s.created_at, s.status, s.held_at IS NOT NULL, s.pause_reason, s.scheduled_at, s.local_at, a.content_hash, a.voided_at IS NULL
  FROM tasks_send s JOIN composer_approval a ON a.id = s.approval_id
 WHERE s.id = ANY(%s::bigint[])
"""
_RESTORED = "The database was restored from a backup."
_WHO = "newsdesk restore"
_UNKNOWN = (
    f"{_RESTORED} Nobody here knows what was decided about this send afterwards: whether it was cancelled or paused, or its edition "
    "reopened. Look at it, then resume or cancel it."
)


class _State(NamedTuple):
    """Of one send."""

    created_at: datetime
    status: str
    is_held: bool
    pause_reason: str
    scheduled_at: datetime
    local_at: str
    approval: str
    approval_stands: bool


def hold_undone(kept: "psycopg.Connection[Any] | None") -> list[int]:
    """Let each send wait that is not over and of which `kept`, the database as it was, has another state; their ids.

    Without `kept`, or without the send in it, nobody knows of any decision, and it waits too. May be repeated. Raises psycopg.Error
    and the errors of our own database.
    """
    not_over = list(Send.objects.filter(status__in=Send.NOT_OVER).order_by("pk").values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(_STATES, [not_over])
        here = _states(cursor.fetchall())
    there = _states(kept.execute(_STATES, [not_over]).fetchall()) if kept else {}
    held = []
    for send_id, state in sorted(here.items()):
        if why := _why(state, there.get(send_id)):
            _hold(send_id, why, is_held=state.is_held)
            held.append(send_id)
    return held


def _states(rows: list[tuple[Any, ...]]) -> Mapping[int, _State]:
    return {row[0]: _State(*row[1:]) for row in rows}


def _why(here: _State, there: _State | None) -> str:
    """Why a send waits, for an operator; empty when it is as it was."""
    if there is None or there.created_at != here.created_at:
        return _UNKNOWN
    return "" if there == here else f"{_RESTORED} {_what_differs(here, there)}"


def _what_differs(here: _State, there: _State) -> str:
    """The decision that counts most."""
    if there.status == Send.Status.CANCELLED:
        return "This send was cancelled after it was made: cancel it again."
    if here.is_held:
        return "The edition of this send was approved again after it was made, as it is not here: look at it before you approve it."
    if there.is_held or there.approval != here.approval or not there.approval_stands:
        return (
            "The edition of this send was reopened after it was made, so that what is approved here may not be the last. "
            "Look at the edition, then resume or cancel the send."
        )
    if there.status == Send.Status.PAUSED:
        return f"This send was paused after it was made: {there.pause_reason or 'no reason was given'}"
    if (there.scheduled_at, there.local_at) != (here.scheduled_at, here.local_at):
        at = there.local_at or f"{there.scheduled_at:%Y-%m-%d %H:%M} UTC"
        return f"This send was put to another time after it was made, {at}. Resume or cancel it."
    return f"This send was {there.status} in the database as it was, and is {here.status} here: look at it, then resume or cancel it."


def _hold(send_id: int, why: str, *, is_held: bool) -> None:
    """Pause it; of one that is paused already it is told why it must not simply go on, nor with the next approval."""
    if control.pause(send_id, why):
        return
    Send.objects.filter(pk=send_id, status=Send.Status.PAUSED).update(pause_reason=why[:500])
    record_action(send_id, "held" if is_held else "paused", why=f"{WAS_PAUSED}{why}" if is_held else why, who=_WHO)
    raise_alarm(Alarm.Code.SEND_PAUSED, why, send_id=send_id, mail=True)
