import os
import subprocess
import sys
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from newsdesk.core import process_identity
from tasks.models import Attempt, Batch, Receipt, Send, TransportState
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.sends import control
from tasks.sends.counts import counts
from tasks.submission import recovery
from tasks.submission.building import build
from tasks.submission.claiming import claim_batch
from tasks.submission.fencing import fence
from tasks.throttling import breaker, throttle
from tests.factories import make_prepared_send
from tests.tasks.conftest import FakeQueue

pytestmark = pytest.mark.django_db


def _dead_process() -> str:
    """The identity of a process that has ended."""
    code = "from newsdesk.core import process_identity; print(process_identity.current_process())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _only(send: Send) -> Batch:
    return Batch.objects.get(send=send)


def test_a_process_is_dead_only_when_it_surely_is() -> None:
    dead, me = _dead_process(), process_identity.current_process()

    assert process_identity.is_dead(dead)
    assert not process_identity.is_dead(me)
    assert not process_identity.is_dead("")
    assert not process_identity.is_dead(dead.replace(dead[:8], "00000000", 1))
    reused = me.replace(f"/{os.getpid()}/", f"/{os.getpid()}/1", 1)
    assert process_identity.is_dead(reused)


@pytest.mark.parametrize("how", ["dead", "stale"])
def test_a_building_batch_of_a_lost_worker_is_pending_again(
    how: str, transport: SendGridTransport, fake_queue: FakeQueue
) -> None:
    send = make_prepared_send(2)
    assert claim_batch(_only(send).pk, attempt=uuid4(), transport=transport.name)
    _lose(how)

    recovery.recover()

    batch = _only(send)
    assert (batch.status, batch.lost_attempts) == (Batch.Status.PENDING, 1)
    assert fake_queue.batches[-1] == batch.pk


@pytest.mark.parametrize("how", ["dead", "stale"])
def test_a_submitting_batch_of_a_lost_worker_is_unknown(how: str, transport: SendGridTransport) -> None:
    send = make_prepared_send(2)
    claim = claim_batch(_only(send).pk, attempt=uuid4(), transport=transport.name)
    assert claim is not None
    assert fence(claim, build(claim), transport=transport.name)
    _lose(how)

    recovery.recover()

    assert _only(send).status == Batch.Status.UNKNOWN
    attempt = Attempt.objects.get()
    assert attempt.outcome == "unknown"
    assert attempt.evidence[0]["kind"] == "sweep"


def _lose(how: str) -> None:
    if how == "dead":
        Batch.objects.update(claimed_by=_dead_process())
    else:
        Batch.objects.update(claimed_by="elsewhere", claimed_at=timezone.now() - timedelta(seconds=301))


def test_a_living_worker_keeps_what_it_holds(transport: SendGridTransport) -> None:
    send = make_prepared_send(2)
    assert claim_batch(_only(send).pk, attempt=uuid4(), transport=transport.name)

    recovery.recover()

    assert _only(send).status == Batch.Status.BUILDING


def test_ten_lost_attempts_fail_the_batch_and_pause_the_send(transport: SendGridTransport) -> None:
    send = make_prepared_send(2)
    for number in range(10):
        assert claim_batch(_only(send).pk, attempt=uuid4(), transport=transport.name), f"tried after {number}"
        _lose("stale")
        recovery.release_abandoned()

    send.refresh_from_db()
    assert _only(send).status == Batch.Status.FAILED
    assert send.status == Send.Status.PAUSED
    assert "lost by its worker 10 times" in send.pause_reason
    assert send.alarms.filter(code="lost_attempts").exists()
    assert counts(send).failed == 2


@pytest.mark.parametrize("lost_before", [0, 9])
def test_what_a_lost_worker_built_of_a_cancelled_send_is_cancelled_and_no_failure(
    lost_before: int, transport: SendGridTransport
) -> None:
    send = make_prepared_send(2)
    assert claim_batch(_only(send).pk, attempt=uuid4(), transport=transport.name)
    Batch.objects.update(lost_attempts=lost_before)
    assert control.cancel(send.pk)
    _lose("stale")

    recovery.release_abandoned()

    assert _only(send).status == Batch.Status.CANCELLED
    assert (counts(send).failed, counts(send).status) == (0, Send.Status.CANCELLED)
    assert not send.alarms.filter(code="lost_attempts").exists()


@pytest.mark.parametrize(
    ("age", "waiting", "enqueued"),
    [(-3, 0, False), (10, 0, False), (15, 0, True), (20, 5, False), (290, 5, False), (300, 5, True), (301, None, False)],
)  # fmt: skip
def test_a_batch_whose_message_was_lost_is_enqueued_again(
    age: float, waiting: int | None, enqueued: bool, transport: SendGridTransport, fake_queue: FakeQueue
) -> None:
    send = make_prepared_send(1)
    Batch.objects.update(not_before=timezone.now() - timedelta(days=1))
    fake_queue.messages.clear()
    fake_queue.waiting = waiting

    Batch.objects.update(enqueued_at=timezone.now() - timedelta(seconds=age))
    recovery.wake_for_due()

    assert fake_queue.batches == ([_only(send).pk] if enqueued else [])


@pytest.mark.parametrize(("waiting", "woken"), [(62, 2), (63, 1), (64, 0), (65, 0)])
def test_no_more_messages_wait_than_there_may_be_workers(
    waiting: int, woken: int, transport: SendGridTransport, fake_queue: FakeQueue
) -> None:
    for _ in range(3):
        make_prepared_send(1)
    fake_queue.messages.clear()
    fake_queue.waiting = waiting

    recovery.wake_for_due(wake_all=True)

    assert len(fake_queue.batches) == woken


def test_while_the_breaker_is_open_one_worker_a_minute_is_woken(
    transport: SendGridTransport, fake_queue: FakeQueue
) -> None:
    """However young the batches' own messages are: workers took them, and found it open."""
    first, _second = make_prepared_send(1), make_prepared_send(1)
    for _ in range(3):
        breaker.count_unknown(transport.name)
    fake_queue.messages.clear()

    recovery.wake_for_due(wake_all=True)
    assert fake_queue.batches == []

    TransportState.objects.update(probed_at=timezone.now() - timedelta(seconds=60))
    recovery.wake_for_due()
    assert fake_queue.batches == [_only(first).pk]


def test_nobody_is_woken_while_the_provider_wants_everything_to_wait(
    transport: SendGridTransport, fake_queue: FakeQueue
) -> None:
    make_prepared_send(1)
    throttle.throttle(transport.name, seconds=60.0, why="It asked to wait.")
    fake_queue.messages.clear()

    recovery.wake_for_due(wake_all=True)

    assert fake_queue.batches == []


def test_a_batch_whose_message_is_young_is_not_enqueued_again(
    transport: SendGridTransport, fake_queue: FakeQueue
) -> None:
    make_prepared_send(1)
    fake_queue.messages.clear()

    recovery.recover()

    assert fake_queue.batches == []


def test_a_started_worker_enqueues_everything_that_is_due(transport: SendGridTransport, fake_queue: FakeQueue) -> None:
    send = make_prepared_send(1)
    fake_queue.messages.clear()

    recovery.recover(wake_all=True)

    assert fake_queue.batches == [_only(send).pk]


def test_a_broken_broker_loses_nothing(transport: SendGridTransport, fake_queue: FakeQueue) -> None:
    fake_queue.broken = True
    send = make_prepared_send(1)
    assert _only(send).enqueued_at is None
    fake_queue.broken = False

    recovery.recover()

    assert fake_queue.batches == [_only(send).pk]


def test_a_send_whose_last_outcomes_crossed_is_finished(transport: SendGridTransport) -> None:
    send = make_prepared_send(1)
    Batch.objects.update(status=Batch.Status.SUBMITTED)

    recovery.recover()

    send.refresh_from_db()
    assert send.status == Send.Status.SENT


def test_receipts_that_wait_are_enqueued_again_up_to_a_limit(
    fake_queue: FakeQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "_RECEIPTS_AT_ONCE", 3)
    old = timezone.now() - timedelta(seconds=10)
    young = Receipt.objects.create(body=b"[]").pk
    first, second, third, _fourth = [Receipt.objects.create(body=b"[]", received_at=old).pk for _ in range(4)]
    for messages, enqueued in ((0, [first, second, third]), (2, [first]), (3, []), (9000, []), (None, [])):
        fake_queue.messages, fake_queue.waiting_receipts = [], messages
        Receipt.objects.filter(pk=young).update(received_at=timezone.now() - timedelta(seconds=5))
        recovery.wake_for_receipts()
        assert fake_queue.receipts == enqueued
