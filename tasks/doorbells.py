"""The Celery tasks: each takes at most one id and calls one function. Their names are a wire format.

A doorbell that cannot be rung (the broker is down) never fails its caller: the sweep rings again.
"""

import structlog
from celery import Task, shared_task
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from newsdesk import valkey

log = structlog.get_logger(__name__)

_BROKER_ERRORS = (OperationalError, RedisError, OSError)


@shared_task(name="tasks.submit_batch")
def submit_batch(batch_id: int) -> None:  # noqa: ARG001 - which one rang does not matter: a turn takes what is due
    from tasks import turns
    from tasks.transports import get_transport

    turns.take_turn(transport=get_transport())


@shared_task(name="tasks.submit_letter")
def submit_letter(letter_id: int) -> None:
    from tasks import letters
    from tasks.transports import get_transport

    letters.submit_letter(letter_id, transport=get_transport())


@shared_task(name="tasks.apply_receipt")
def apply_receipt(receipt_id: int) -> None:
    from tasks import events

    events.apply_receipt(receipt_id)


@shared_task(name="tasks.prepare_send")
def prepare_send(send_id: int) -> None:
    from tasks import preparation

    preparation.prepare(send_id)


@shared_task(name="tasks.keep_slots")
def keep_slots() -> None:
    from tasks import slots

    slots.keep_slots()


@shared_task(name="tasks.prepare_due_sends")
def prepare_due_sends() -> None:
    from tasks import preparation

    preparation.prepare_due()


@shared_task(name="tasks.sweep")
def sweep() -> None:
    from tasks import sweeping

    sweeping.sweep()


@shared_task(name="tasks.sweep_after_start")
def sweep_after_start() -> None:
    from tasks import sweeping

    sweeping.sweep(ring_all=True)


@shared_task(name="tasks.reconcile")
def reconcile() -> None:
    from tasks import reconciliation
    from tasks.transports import get_transport

    reconciliation.reconcile(transport=get_transport())


@shared_task(name="tasks.expire_receipts")
def expire_receipts() -> None:
    from tasks import receipts

    receipts.expire()


@shared_task(name="tasks.compare_suppressions")
def compare_suppressions() -> None:
    from tasks import comparison

    comparison.compare_nightly()


@shared_task(name="tasks.check_links")
def check_links(edition_id: int) -> None:
    from tasks import link_checks

    link_checks.check_links(edition_id)


def ring_batch(batch_id: int, *, countdown: float = 0) -> bool:
    return _ring(submit_batch, batch_id, countdown=countdown)


def ring_for_what_is_due(*, countdown: float = 0) -> bool:
    """Wake a worker, whichever batch it then takes."""
    return _ring(submit_batch, 0, countdown=countdown)


def ring_letter(letter_id: int, *, countdown: float = 0) -> bool:
    return _ring(submit_letter, letter_id, countdown=countdown)


def ring_receipt(receipt_id: int) -> bool:
    return _ring(apply_receipt, receipt_id)


def ring_send(send_id: int) -> bool:
    return _ring(prepare_send, send_id)


def ring_links(edition_id: int) -> bool:
    return _ring(check_links, edition_id)


def ring_errand(task: Task) -> bool:
    return _ring(task)


def on_commit(ring: object, *args: int) -> None:
    """Ring once the transaction is durable; at once when there is none."""
    transaction.on_commit(lambda: ring(*args), robust=True)  # type: ignore[operator]


def _ring(task: Task, *args: int, countdown: float = 0) -> bool:
    try:
        task.apply_async(args=args, countdown=countdown or None)
    except _BROKER_ERRORS as error:
        log.warning("doorbell_not_rung", task=task.name, args=args, error=str(error))
        return False
    return True


def may_ring_late(seconds: float, *, at_most: int) -> bool:
    """Whether one more doorbell may be rung for a time so many seconds ahead: no more than `at_most` for each such wait.

    A worker takes a late doorbell at once and keeps it until its time, so that no queue shows how many there are: those
    that the sweep adds would become more without end.
    """
    key = "newsdesk:late-doorbells"
    try:
        count = valkey.client(settings.REDIS_URL).pipeline()
        count.set(key, 0, nx=True, px=max(int(seconds * 1000), 1))
        count.incr(key)
        return int(count.execute()[1]) <= at_most
    except _BROKER_ERRORS as error:
        log.warning("late_doorbells_not_counted", error=str(error))
        return True


def waiting_batches() -> int | None:
    """How many batch doorbells wait in the broker; None when it does not answer."""
    return _waiting("batches")


def waiting_letters() -> int | None:
    """How many doorbells of letters wait in the broker; None when it does not answer."""
    return _waiting("letters")


def _waiting(queue: str) -> int | None:
    from tasks.app import app

    try:
        with app.connection_for_read(transport_options={"socket_connect_timeout": 2}) as connection:
            return int(connection.default_channel.client.llen(queue))
    except _BROKER_ERRORS as error:
        log.warning("broker_does_not_answer", url=settings.REDIS_URL.rpartition("@")[2], error=str(error))
        return None
