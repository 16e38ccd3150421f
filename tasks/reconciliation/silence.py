"""When silence proves that the provider refused a request.

SendGrid posts an event for whatever it accepts and retries for 24 hours. So an attempt nobody has heard of was refused,
if all of this holds: its worker can no longer POST (that is what `unknown` means), the grace is over and five passes
with it, three requests accepted later on the same key were heard of for at least 99 % of their members, no receipt
waits to be applied, and no webhook call since was answered anything but 2xx.
"""

from collections.abc import Callable, Mapping
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction

from tasks.database import row_locks
from tasks.database.durability import durable
from tasks.models import Attempt, Batch, Receipt, Send, evidence
from tasks.providers.base import Transport
from tasks.reconciliation import probes
from tasks.reconciliation.silence_conditions import HEARD_SHARE, LATER_REQUESTS, Doubt
from tasks.sends import finishing, wake_ups

log = structlog.get_logger(__name__)

#: Seconds after which an accepted request that nobody heard of is a sign that nobody could reach us.
SETTLED = 300.0

#: One row for each doubtful attempt, with each condition of the proof.
_DOUBTFUL = """
SELECT a.id, a.batch_id, b.send_id, a.silent_passes,
       EXTRACT(EPOCH FROM statement_timestamp() - COALESCE(a.finished_at, a.fenced_at))::float8 AS age,
       NOT EXISTS (SELECT 1 FROM tasks_receipt WHERE applied_at IS NULL) AS all_applied,
       COALESCE(t.silence_enabled, true) AS enabled,
       COALESCE((SELECT refused_at FROM tasks_webhookstate WHERE provider = split_part(a.transport, ':', 1))
                < a.fenced_at, true)
           AS webhook_kept,
       NOT EXISTS (SELECT 1 FROM tasks_attempt other
                    WHERE other.transport = a.transport AND other.outcome = 'accepted'
                      AND other.fenced_at > a.fenced_at - interval '10 minutes'
                      AND other.fenced_at < statement_timestamp() - make_interval(secs => %(settled)s)
                      AND other.heard < other.size * %(share)s) AS others_heard,
       (SELECT count(*) FROM tasks_attempt later
         WHERE later.transport = a.transport AND later.outcome = 'accepted' AND later.size > 0
           AND later.fenced_at > COALESCE(a.finished_at, a.fenced_at)
           AND later.heard >= later.size * %(share)s) AS later_heard
  FROM tasks_attempt a
  JOIN tasks_batch b ON b.id = a.batch_id AND b.attempt = a.id AND b.status = 'unknown'
  LEFT JOIN tasks_transportstate t ON t.name = a.transport
 WHERE a.outcome = 'unknown' AND a.transport = %(transport)s AND NOT a.evidence @> '[{"decided": "leave"}]' AND NOT a.evidence @> '[{"kind": "ground_moved"}]'
 ORDER BY a.fenced_at
"""


def reconcile(*, transport: Transport, grace: float | None = None) -> None:
    """One pass over every doubtful attempt of this transport. `grace` in seconds, by default NEWSDESK_SILENCE_GRACE."""
    if not transport.reports:
        # Nothing is ever heard of it: silence says nothing, and a probe would bring no answer. A person decides.
        return
    grace = float(settings.SILENCE_GRACE) if grace is None else grace
    doubts = doubts_of(transport.name, grace=grace)
    quiet = [doubt.attempt for doubt in doubts if doubt.may_speak]
    if quiet:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE tasks_attempt SET silent_passes = LEAST(silent_passes + 1, 30000)"
                " WHERE id = ANY(%s) AND outcome = 'unknown'",
                [quiet],
            )
    for doubt in doubts:
        if doubt.proves_refusal(grace):
            _refused_by_silence(doubt, grace)
    wanting = [d for d in doubts if d.may_speak and d.later_heard < LATER_REQUESTS and d.age >= grace / 2]
    if wanting:
        probes.probe(wanting[0].batch_id, transport=transport, every=max(grace / 10, 1.0))


def doubts_of(transport: str, *, grace: float) -> list[Doubt]:
    """Every attempt of this transport whose silence may ever be believed, as it stands now. `grace` in seconds."""
    # Seconds after which an accepted request should have been heard of.
    settled = min(grace, SETTLED)
    given: dict[str, str | float] = {
        "transport": transport,
        "share": HEARD_SHARE,
        "settled": settled,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DOUBTFUL, given)
        return [
            Doubt(
                attempt=attempt,
                batch_id=batch_id,
                send_id=send_id,
                passes=passes,
                age=age,
                all_applied=all_applied,
                enabled=enabled,
                webhook_kept=webhook_kept,
                others_heard=others_heard,
                later_heard=later_heard,
            )
            for attempt, batch_id, send_id, passes, age, all_applied, enabled, webhook_kept, others_heard, later_heard in (
                cursor.fetchall()
            )
        ]


def _refused_by_silence(doubt: Doubt, grace: float) -> None:
    fact = {
        "kind": "silence",
        "proves": "refused",
        "seconds": round(doubt.age),
        "grace": grace,
        "passes": doubt.passes,
        "later_requests_heard": doubt.later_heard,
    }
    if put_back(doubt.batch_id, doubt.attempt, fact=fact, unless_receipts_wait=True):
        log.info("refused_by_silence", batch=doubt.batch_id, attempt=str(doubt.attempt), **fact)


def put_back(
    batch_id: int,
    attempt: UUID | None,
    *,
    fact: Mapping[str, object],
    unless_receipts_wait: bool = False,
    noted: Callable[[], None] | None = None,
) -> bool:
    """Return an unknown batch to pending (to cancelled in a cancelled send); False if it was settled meanwhile.

    `attempt` is the one it was decided about; None for a batch that was never fenced. `noted` is called in the same
    transaction once it is so.
    """
    send_id = Batch.objects.filter(pk=batch_id).values_list("send_id", flat=True).get()
    with durable():
        cancelled = row_locks.send_status(send_id) == Send.Status.CANCELLED
        status = Batch.Status.CANCELLED if cancelled else Batch.Status.PENDING
        if unless_receipts_wait and Receipt.objects.filter(applied_at=None).exists():
            return False
        moved = Batch.objects.filter(pk=batch_id, attempt=attempt, status=Batch.Status.UNKNOWN).update(
            status=status, enqueued_at=None
        )
        if not moved:
            return False
        if attempt is not None:
            Attempt.objects.filter(pk=attempt).exclude(outcome=Attempt.Outcome.ACCEPTED).update(
                outcome=Attempt.Outcome.REFUSED, evidence=evidence.with_fact(fact)
            )
        if noted is not None:
            noted()
        transaction.on_commit(lambda: wake_ups.wake_for([batch_id]), robust=True)
    finishing.finish_if_done(send_id)
    return True
