"""Moving members of a batch to another one of the same send, because their outcome is another.

The one place that changes the batch of a delivery (docs/adr/0009). What is counted of them moves with them.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from newsdesk.core.errors import BrokenPromiseError
from tasks.models import Batch
from tasks.models.delivery import COUNTED, seen_counts_sql

_NEW_BATCH = """
INSERT INTO tasks_batch (send_id, variant_id, tracked, mailbox_domain, size, status, attempt, attempts, lost_attempts, rounds, stalls, not_before,
                         claimed_at, claimed_by, excluded, failed,
                         delivered, bounced, complained, unsubscribed, opened, clicked)
SELECT send_id, variant_id, tracked, COALESCE(%(domain)s, mailbox_domain), %(size)s, %(status)s, %(attempt)s, attempts, lost_attempts, COALESCE(%(rounds)s, rounds), %(stalls)s,
       statement_timestamp() + make_interval(secs => %(wait)s), claimed_at, claimed_by, 0, 0, 0, 0, 0, 0, 0, 0
  FROM tasks_batch WHERE id = %(batch)s
RETURNING id
"""
_COUNTS = [flag.name.lower() for flag in COUNTED]
#: What readers did already (an unsubscribe through an earlier message whose outcome is unknown) moves with them.
_MOVE = f"""
WITH moved AS (
    UPDATE tasks_delivery SET batch_id = %(new)s
     WHERE send_id = %(send)s AND batch_id = %(batch)s AND subscriber_id = ANY(%(members)s)
    RETURNING seen
), total AS (
    SELECT count(*) AS members, {seen_counts_sql()} FROM moved
), counted AS (
    UPDATE tasks_batch b SET
        size = b.size - CASE WHEN b.id = %(batch)s THEN total.members ELSE 0 END,
        {", ".join(f"{count} = b.{count} + sign * total.{count}" for count in _COUNTS)}
      FROM total, (VALUES (%(batch)s, -1), (%(new)s, 1)) AS side(id, sign) WHERE b.id = side.id
)
SELECT members FROM total
"""  # noqa: S608 - made of constants


class MembersMissingError(BrokenPromiseError):
    """A batch has not the members its request had; nothing of the outcome was written."""


def new_batch(
    like: int,
    *,
    size: int,
    status: Batch.Status,
    attempt: UUID | None = None,
    rounds: int | None = None,
    stalls: int = 0,
    wait: float = 0.0,
    mailbox_domain: str | None = None,
) -> int:
    """A batch of the same send and variant for `size` members who are to be moved into it; its id.

    It is not due before `wait` seconds are over. `rounds` and `mailbox_domain`: as in `Batch`; None = as of the batch like it.
    """
    values: dict[str, str | int | float | UUID | None] = {
        "batch": like,
        "size": size,
        "status": status.value,
        "attempt": attempt,
        "rounds": rounds,
        "stalls": stalls,
        "wait": wait,
        "domain": mailbox_domain,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEW_BATCH, values)
        (new,) = cursor.fetchone()
    return int(new)


def move(members: Sequence[int], *, send_id: int, batch_id: int, to: int) -> None:
    """Move these subscribers' deliveries; the caller has locked both batches, and the new one's size holds them already.

    Raises MembersMissingError.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, {"send": send_id, "batch": batch_id, "members": list(members), "new": to})
        (moved,) = cursor.fetchone()
    if moved != len(members):
        raise MembersMissingError(f"batch {batch_id}: {len(members)} members were to be moved, {moved} were")


def move_to_new_batch(batch_id: int, send_id: int, members: Sequence[int], **new: Any) -> int:
    """Move these members, subscriber ids, out of a batch that the caller has locked; the id of the batch they are in now.

    `new`: as `new_batch` takes it. Raises MembersMissingError.
    """
    there = new_batch(batch_id, size=len(members), **new)
    move(members, send_id=send_id, batch_id=batch_id, to=there)
    return there
