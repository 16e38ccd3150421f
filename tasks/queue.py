"""Sending Celery messages, by the names of their tasks: this module imports none of them.

A message only wakes a worker. One that cannot be sent (the broker is down or stands still) never fails its caller, nor keeps it
for longer than half a second: recovery sends another (docs/adr/0002).
"""

from collections.abc import Callable

import structlog
from celery import current_app
from django.conf import settings
from django.db import transaction

from tasks.broker_connection import BROKER_ERRORS, broker

log = structlog.get_logger(__name__)

#: Seconds. A message that waits longer for its time would be delivered twice by the broker: it is left to recovery.
LONGEST_COUNTDOWN = 60.0
#: Seconds. Whoever looks how long a queue is has more time than whoever enqueues.
_LOOKING = {"socket_connect_timeout": 2, "socket_timeout": 2}


def enqueue_batch(batch_id: int, *, countdown: float = 0) -> bool:
    """Wake a worker for this batch, after `countdown` seconds. False when the broker did not take the message."""
    return _enqueue("tasks.submit_batch", batch_id, countdown=countdown)


def enqueue_worker_loop(*, countdown: float = 0) -> bool:
    """Wake a worker for whatever batch is due after `countdown` seconds. False as above, here and below."""
    return _enqueue("tasks.submit_batch", 0, countdown=countdown)


def enqueue_mail(mail_id: int, *, countdown: float = 0) -> bool:
    """Wake a worker for this transactional mail, after `countdown` seconds."""
    return _enqueue("tasks.submit_letter", mail_id, countdown=countdown)


def enqueue_receipt(receipt_id: int) -> bool:
    """Wake a worker that applies this receipt's events, which must be committed.

    A worker applies whatever waits. So none is woken while a message waits in the broker: whoever takes that will look for receipts
    only then. Under a flood of webhook calls a message for each would cost as much as their events.
    """
    return _enqueue("tasks.apply_receipt", receipt_id, unless_waiting_in="receipts")


def enqueue_send(send_id: int) -> bool:
    """Wake a worker that prepares the send, if it is due."""
    return _enqueue("tasks.prepare_send", send_id)


def enqueue_link_check(edition_id: int) -> bool:
    """Wake a worker that checks the links of this edition."""
    return _enqueue("tasks.check_links", edition_id)


def enqueue_suppression_sync() -> bool:
    """Wake a worker that compares the suppression lists."""
    return _enqueue("tasks.compare_suppressions")


def enqueue_recovery_after_start() -> bool:
    """Wake a worker for a recovery that enqueues all that is due, however young its messages."""
    return _enqueue("tasks.sweep_after_start")


def on_commit(enqueue: Callable[..., object], *args: int) -> None:
    """Enqueue once the transaction is durable; at once when there is none."""
    transaction.on_commit(lambda: enqueue(*args), robust=True)


def waiting_batches() -> int | None:
    """How many messages about batches wait in the broker; None when it does not answer."""
    return _waiting("batches")


def waiting_errands() -> int | None:
    """How many of beat's messages, and of others that nobody waits for, are in the broker; None when it does not answer."""
    return _waiting("errands")


def waiting_mails() -> int | None:
    """How many messages about transactional mails wait in the broker; None when it does not answer."""
    return _waiting("letters")


def waiting_receipts() -> int | None:
    """How many messages about receipts wait in the broker; None when it does not answer."""
    return _waiting("receipts")


def _enqueue(task: str, *args: int, countdown: float = 0, unless_waiting_in: str = "") -> bool:
    try:
        broker.send(task, args, countdown=countdown, unless_waiting_in=unless_waiting_in)
    except BROKER_ERRORS as error:
        log.warning("message_not_sent", task=task, args=args, error=str(error))
        return False
    return True


def _waiting(queue: str) -> int | None:
    try:
        with current_app.connection_for_read(transport_options=_LOOKING) as connection:
            return int(connection.default_channel.client.llen(queue))
    except BROKER_ERRORS as error:
        log.warning("broker_does_not_answer", url=settings.REDIS_URL.rpartition("@")[2], error=str(error))
        return None
