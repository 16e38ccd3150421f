"""Waiting as long as the provider asked, with everything: a 429 is said to the key, not to one request."""

from dataclasses import dataclass

from django.db import connection

from tasks.flow.backing_off import back_off

_HOLD = """
INSERT INTO tasks_transportstate (name, unknowns_in_a_row, hold_until, hold_reason, too_many_in_a_row)
VALUES (%(name)s, 0, statement_timestamp() + make_interval(secs => %(seconds)s), %(why)s, 1)
ON CONFLICT (name) DO UPDATE SET
    hold_until = GREATEST(tasks_transportstate.hold_until, EXCLUDED.hold_until), hold_reason = EXCLUDED.hold_reason,
    -- Those that were in flight at the same time are one refusal.
    too_many_in_a_row = LEAST(1000, tasks_transportstate.too_many_in_a_row
        + (COALESCE(tasks_transportstate.hold_until, '-infinity') <= statement_timestamp())::int)
"""


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Nothing leaves for so many more seconds; `why` in words for an operator."""

    seconds: float
    why: str


def hold(transport: str, *, seconds: float | None, why: str) -> float:
    """Let nothing leave for these seconds (None: doubling with jitter for each refusal in a row); how many they are."""
    if seconds is None:
        held = current(transport)
        if held is not None:
            return held.seconds
        seconds = back_off(_in_a_row(transport) + 1)
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, {"name": transport, "seconds": seconds, "why": why[:300]})
    return seconds


def current(transport: str) -> Hold | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXTRACT(EPOCH FROM hold_until - statement_timestamp())::float8, hold_reason"
            " FROM tasks_transportstate WHERE name = %s AND hold_until > statement_timestamp()",
            [transport],
        )
        row = cursor.fetchone()
    return Hold(seconds=row[0], why=row[1]) if row else None


def release(transport: str) -> None:
    """Let mail leave again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tasks_transportstate SET hold_until = NULL, hold_reason = '', too_many_in_a_row = 0 WHERE name = %s",
            [transport],
        )


def _in_a_row(transport: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT too_many_in_a_row FROM tasks_transportstate WHERE name = %s", [transport])
        row = cursor.fetchone()
    return row[0] if row else 0
