"""Recovery, every ten seconds: claims of dead workers, and due batches and receipts whose task message was lost."""

from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from newsdesk.core import last_recovery, redis_client
from tasks import claims, queue
from tasks.alarms import disk_space
from tasks.alarms.raising import raise_alarm
from tasks.broker_connection import BROKER_ERRORS
from tasks.claims import AbandonedClaim
from tasks.database import row_locks
from tasks.database.durability import durable
from tasks.feedback import waiting_reports
from tasks.models import Alarm, Attempt, Batch, Receipt, Send, evidence
from tasks.providers.base import Transport
from tasks.providers.registry import get_transport
from tasks.sends import (
    arrivals,
    control,
    database_behind,
    few_readers,
    finishing,
    heartbeat_pings,
    left_out,
    shares,
    stalls,
    stopping,
    wake_ups,
)
from tasks.submission import future_marks
from tasks.submission.journal_recovery import record_journal
from tasks.throttling import breaker, canary, mailbox_domains, throttle, warm_up
from tasks.transactional import recovery as mail_recovery

log = structlog.get_logger(__name__)

#: Seconds. A task message older than this may be lost even while others wait in the broker.
MESSAGE_LOST_SECONDS = 300
#: Seconds. When no message waits in the broker, one sent longer ago than this is lost for sure.
EMPTY_BROKER_SECONDS = 15
#: Claims of a batch that may end without any evidence of a POST before it has failed.
MAX_LOST_ATTEMPTS = 10
#: A healthy worker applies a receipt in less.
_RECEIPT_GRACE = timedelta(seconds=10)
#: Messages about receipts that wait at most after a run; the next run takes the next.
_RECEIPTS_AT_ONCE = 1000

_CLAIMED = (Batch.Status.BUILDING, Batch.Status.SUBMITTING)
_DUE = f"""
SELECT b.id FROM tasks_batch b JOIN tasks_send s ON s.id = b.send_id
 WHERE s.status = 'sending' AND {warm_up.MAY_GO_ON_SQL} AND {canary.MAY_BE_CLAIMED_SQL}
   AND (b.enqueued_at IS NULL OR b.enqueued_at < b.not_before OR b.enqueued_at < statement_timestamp() - make_interval(secs => %s))
 ORDER BY b.enqueued_at NULLS FIRST, b.id LIMIT %s
"""  # noqa: S608 - made of constants


def recover(*, wake_all: bool = False) -> None:
    """Settle abandoned claims, enqueue what is due again, finish what is done. Raises the database's errors.

    `wake_all` enqueues every due batch, however young its message: for a worker that has just started.
    """
    database_behind.look()
    _tell_that_it_runs()
    future_marks.put_right()
    mailbox_domains.forget_old()
    disk_space.look()
    release_abandoned()
    mail_recovery.recover(transport=get_transport(), wake_all=wake_all)
    wake_for_due(wake_all=wake_all)
    wake_for_receipts()
    Batch.objects.filter(status=Batch.Status.PENDING, send__status=Send.Status.CANCELLED).update(
        status=Batch.Status.CANCELLED
    )
    left_out.look()
    for send_id in Send.objects.filter(status=Send.Status.SENDING).values_list("pk", flat=True):
        stopping.pause_if_too_many(send_id)
        finishing.finish_if_done(send_id)
    shares.look_at_finished()
    few_readers.catch_up()
    arrivals.look()
    stalls.look()
    waiting_reports.look()
    heartbeat_pings.swept()


def _tell_that_it_runs() -> None:
    """For `/healthz`: beat has a clock and a worker listens."""
    try:
        last_recovery.recovered(redis_client.client(settings.REDIS_URL))
    except BROKER_ERRORS as error:
        log.warning("last_recovery_not_kept", error=str(error))


def release_abandoned() -> None:
    """Building and abandoned: nothing left this machine, so pending again. Submitting and abandoned: unknown.

    Unless its transport keeps a journal: SMTP notes each recipient's outcome as it comes.
    """
    for claim in claims.abandoned_claims(Batch.objects.filter(status__in=_CLAIMED)):
        batch = claim.row
        assert batch.attempt is not None
        if batch.status == Batch.Status.BUILDING:
            _return_unsent(batch.pk, batch.send_id, batch.attempt)
        elif not _recover_from_journal(claim, get_transport()):
            _mark_unknown(batch.pk, batch.attempt, claim.fact)
        if batch.send.status == Send.Status.CANCELLED:
            # However long ago: all of this may have stood still since.
            left_out.tell(batch.send_id, anew=True)
        log.warning("batch_claim_released", batch=batch.pk, was=batch.status, why=claim.why)


def _recover_from_journal(claim: AbandonedClaim[Batch], transport: Transport) -> bool:
    batch_id, attempt = claim.row.pk, claim.row.attempt
    assert attempt is not None
    return claims.recover_from_journal(
        claim,
        transport=transport,
        record=lambda journal_record: record_journal(batch_id, attempt, journal_record, transport=transport.name),
    )


def _return_unsent(batch_id: int, send_id: int, attempt: UUID) -> None:
    with durable():
        cancelled = row_locks.send_status(send_id) == Send.Status.CANCELLED
        batch = (
            Batch.objects.select_for_update(of=("self",))
            .filter(pk=batch_id, attempt=attempt, status=Batch.Status.BUILDING)
            .first()
        )
        if batch is None:
            return
        batch.lost_attempts += 1
        failed = batch.lost_attempts >= MAX_LOST_ATTEMPTS
        if cancelled:
            batch.status = Batch.Status.CANCELLED
        else:
            batch.status = Batch.Status.FAILED if failed else Batch.Status.PENDING
        batch.enqueued_at = None
        batch.save(update_fields=["lost_attempts", "status", "enqueued_at"])
    if failed and not cancelled:
        why = f"Batch {batch_id} was lost by its worker {MAX_LOST_ATTEMPTS} times and has failed."
        raise_alarm(Alarm.Code.LOST_ATTEMPTS, why, send_id=send_id, mail=True)
        control.pause(send_id, why)


def _mark_unknown(batch_id: int, attempt: UUID, fact: dict[str, str]) -> None:
    with durable():
        changed = Batch.objects.filter(pk=batch_id, attempt=attempt, status=Batch.Status.SUBMITTING).update(
            status=Batch.Status.UNKNOWN
        )
        if changed:
            Attempt.objects.filter(pk=attempt, outcome=Attempt.Outcome.OPEN).update(
                outcome=Attempt.Outcome.UNKNOWN,
                finished_at=Now(),
                evidence=evidence.with_fact(fact),
            )


def wake_for_due(*, wake_all: bool = False) -> None:
    """Enqueue pending, due batches whose task message was lost; nothing while the provider asked to wait."""
    transport = get_transport().name
    if throttle.current(transport):
        return
    waiting = queue.waiting_batches()
    if waiting is None:
        return
    limit = wake_ups.WORKERS_AT_MOST - waiting
    if breaker.is_open(transport):
        if not breaker.probe_is_due(transport):
            return
        limit, wake_all = 1, True
    if limit <= 0:
        return
    older_than = 0 if wake_all else (MESSAGE_LOST_SECONDS if waiting else EMPTY_BROKER_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [older_than, limit])
        due = [batch_id for (batch_id,) in cursor.fetchall()]
    if due:
        log.info("batches_enqueued_again", batches=len(due))
    wake_ups.wake_for(due)


def wake_for_receipts() -> None:
    """Enqueue receipts that wait longer than a healthy worker needs. An unreadable one waits for a person.

    Of those in a long queue most have their message already: enqueued again in each run, they would fill it faster than workers empty it.
    """
    messages = queue.waiting_receipts()
    if messages is None or messages >= _RECEIPTS_AT_ONCE:
        return
    waiting = Receipt.objects.filter(applied_at__isnull=True, error="", received_at__lt=Now() - _RECEIPT_GRACE)
    for receipt_id in list(waiting.order_by("pk").values_list("pk", flat=True)[: _RECEIPTS_AT_ONCE - messages]):
        queue.enqueue_receipt(receipt_id)
