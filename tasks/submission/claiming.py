"""Taking a batch: one durable transaction, ordered with pause and cancel by the send's row."""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from tasks import breaker, ground, holder, stopping
from tasks.durability import durable
from tasks.models import Batch, Send


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A batch that is ours to build."""

    send_id: int
    batch_id: int
    variant_id: int
    approval_id: int
    attempt: UUID
    #: The how-manieth claim of this batch, from 1.
    number: int


#: The send's row is locked FOR SHARE: pause and cancel update it, so each claim comes wholly before or after them.
_LOCK_SEND = f"""
SELECT send.id, send.status, send.approval_id,
       send.system_identifier IS DISTINCT FROM ground.system_identifier OR send.timeline IS DISTINCT FROM ground.timeline,
       EXISTS (SELECT 1 FROM tasks_transportstate WHERE name = %s AND opened_at IS NOT NULL)
  FROM tasks_send send, ({ground.IDENTITY_SQL}) AS ground (system_identifier, timeline)
 WHERE send.id = (SELECT send_id FROM tasks_batch WHERE id = %s) FOR SHARE OF send
"""  # noqa: S608 - made of constants
_TAKE = """
UPDATE tasks_batch SET status = 'building', attempt = %s, attempts = attempts + 1, claimed_at = statement_timestamp(), holder = %s
 WHERE id = %s AND status = 'pending' AND not_before <= statement_timestamp()
RETURNING variant_id, attempts
"""


def claim(batch_id: int, *, attempt: UUID, transport: str) -> Claim | None:
    """Move a pending, due batch of a running send to building; None when it is not to be had now.

    `attempt` is the caller's, so that it can give the batch back even when the answer to the commit was lost.
    """
    with durable(), connection.cursor() as cursor:
        cursor.execute(_LOCK_SEND, [transport, batch_id])
        send = cursor.fetchone()
        if send is None:
            return None
        send_id, status, approval_id, moved, breaker_is_open = send
        if status != Send.Status.SENDING:
            return None
        if not moved:
            if breaker_is_open and not breaker.take_probe(transport):
                Batch.objects.filter(pk=batch_id, status=Batch.Status.PENDING).update(rung_at=None)
                return None
            cursor.execute(_TAKE, [attempt, holder.myself(), batch_id])
            taken = cursor.fetchone()
    if moved:
        stopping.ground_moved(send_id)
        return None
    if taken is None:
        return None
    variant_id, number = taken
    return Claim(
        send_id=send_id,
        batch_id=batch_id,
        variant_id=variant_id,
        approval_id=approval_id,
        attempt=attempt,
        number=number,
    )
