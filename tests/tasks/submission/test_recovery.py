import os
import subprocess
import sys
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from newsdesk.core import process_identity
from tasks.models import Attempt, Batch, Receipt, Send
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.sends.counts import counts
from tasks.submission import recovery
from tasks.submission.building import build
from tasks.submission.claiming import claim_batch
from tasks.submission.fencing import fence
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
    for _ in range(recovery.MAX_LOST_ATTEMPTS):
        assert claim_batch(_only(send).pk, attempt=uuid4(), transport=transport.name)
        _lose("stale")
        recovery.release_abandoned()

    send.refresh_from_db()
    assert _only(send).status == Batch.Status.FAILED
    assert send.status == Send.Status.PAUSED
    assert send.alarms.filter(code="lost_attempts").exists()
    assert counts(send).failed == 2


@pytest.mark.parametrize(
    ("age", "waiting", "enqueued"), [(-3, 0, False), (20, 0, True), (20, 5, False), (301, 5, True), (301, None, False)]
)
def test_a_batch_whose_message_was_lost_is_enqueued_again(
    age: int, waiting: int | None, enqueued: bool, transport: SendGridTransport, fake_queue: FakeQueue
) -> None:
    send = make_prepared_send(1)
    Batch.objects.update(
        enqueued_at=timezone.now() - timedelta(seconds=age), not_before=timezone.now() - timedelta(days=1)
    )
    fake_queue.messages.clear()
    fake_queue.waiting = waiting

    recovery.recover()

    assert fake_queue.batches == ([_only(send).pk] if enqueued else [])


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
    old = timezone.now() - timedelta(minutes=1)
    first, second, third, _fourth = [Receipt.objects.create(body=b"[]", received_at=old).pk for _ in range(4)]
    Receipt.objects.create(body=b"[]")
    for messages, enqueued in ((0, [first, second, third]), (2, [first]), (3, []), (9000, []), (None, [])):
        fake_queue.messages, fake_queue.waiting_receipts = [], messages
        assert recovery.wake_for_receipts() == len(enqueued)
        assert fake_queue.receipts == enqueued
