"""Waiting as long as the provider asked, with everything: a 429 (RFC 6585) concerns the key, not one request."""

from dataclasses import dataclass

from django.db import connection

from tasks.throttling.back_off import back_off

_THROTTLE = """
INSERT INTO tasks_transportstate (name, unknowns_in_a_row, throttled_until, throttled_at, throttle_reason, too_many_in_a_row)
VALUES (%(name)s, 0, statement_timestamp() + make_interval(secs => %(seconds)s), statement_timestamp(), %(why)s, 1)
ON CONFLICT (name) DO UPDATE SET
    throttled_until = GREATEST(tasks_transportstate.throttled_until, EXCLUDED.throttled_until),
    throttled_at = EXCLUDED.throttled_at,
    throttle_reason = EXCLUDED.throttle_reason,
    -- Those that were in flight at the same time are one refusal.
    too_many_in_a_row = LEAST(1000, tasks_transportstate.too_many_in_a_row
        + (COALESCE(tasks_transportstate.throttled_until, '-infinity') <= statement_timestamp())::int)
"""


@dataclass(frozen=True, kw_only=True)
class Throttle:
    """Nothing leaves for so many more seconds; `why` for an operator."""

    seconds: float
    why: str


def throttle(transport: str, *, seconds: float | None, why: str) -> float:
    """Let nothing leave for these seconds (None: doubling with jitter for each refusal in a row); how many they are."""
    if seconds is None:
        running = current(transport)
        if running is not None:
            return running.seconds
        seconds = back_off(_in_a_row(transport) + 1)
    with connection.cursor() as cursor:
        cursor.execute(_THROTTLE, {"name": transport, "seconds": seconds, "why": why[:300]})
    return seconds


def current(transport: str) -> Throttle | None:
    """The throttle that is in force; None when mail may leave."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXTRACT(EPOCH FROM throttled_until - statement_timestamp())::float8, throttle_reason"
            " FROM tasks_transportstate WHERE name = %s AND throttled_until > statement_timestamp()",
            [transport],
        )
        row = cursor.fetchone()
    return Throttle(seconds=row[0], why=row[1]) if row else None


def lift(transport: str) -> None:
    """Let mail leave again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tasks_transportstate SET throttled_until = NULL, throttle_reason = '', too_many_in_a_row = 0"
            " WHERE name = %s",
            [transport],
        )


def _in_a_row(transport: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT too_many_in_a_row FROM tasks_transportstate WHERE name = %s", [transport])
        row = cursor.fetchone()
    return row[0] if row else 0
