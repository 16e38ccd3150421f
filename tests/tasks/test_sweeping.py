import os
import subprocess
import sys
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from tasks import holder, sweeping
from tasks.counts import counts
from tasks.models import Attempt, Batch, Send
from tasks.submission import build, claim, fence
from tasks.transports.sendgrid import SendGridTransport
from tests.factories import make_prepared_send
from tests.tasks.conftest import Doorbells

pytestmark = pytest.mark.django_db


def _dead_holder() -> str:
    """The identity of a process that has ended."""
    code = "from tasks import holder; print(holder.myself())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _only(send: Send) -> Batch:
    return Batch.objects.get(send=send)


def test_a_process_is_dead_only_when_it_surely_is() -> None:
    dead, me = _dead_holder(), holder.myself()

    assert holder.is_dead(dead)
    assert not holder.is_dead(me)
    assert not holder.is_dead("")
    assert not holder.is_dead(dead.replace(dead[:8], "00000000", 1))
    reused = me.replace(f"/{os.getpid()}/", f"/{os.getpid()}/1", 1)
    assert holder.is_dead(reused)


@pytest.mark.parametrize("how", ["dead", "stale"])
def test_a_building_batch_of_a_lost_worker_is_pending_again(
    how: str, transport: SendGridTransport, doorbells: Doorbells
) -> None:
    send = make_prepared_send(2)
    assert claim(_only(send).pk, attempt=uuid4(), transport=transport.name)
    _lose(how)

    sweeping.sweep()

    batch = _only(send)
    assert (batch.status, batch.lost_attempts) == (Batch.Status.PENDING, 1)
    assert doorbells.batches[-1] == batch.pk


@pytest.mark.parametrize("how", ["dead", "stale"])
def test_a_submitting_batch_of_a_lost_worker_is_unknown(how: str, transport: SendGridTransport) -> None:
    send = make_prepared_send(2)
    held = claim(_only(send).pk, attempt=uuid4(), transport=transport.name)
    assert held is not None
    assert fence(held, build(held), transport=transport.name)
    _lose(how)

    sweeping.sweep()

    assert _only(send).status == Batch.Status.UNKNOWN
    attempt = Attempt.objects.get()
    assert attempt.outcome == "unknown"
    assert attempt.evidence[0]["kind"] == "sweep"


def _lose(how: str) -> None:
    if how == "dead":
        Batch.objects.update(holder=_dead_holder())
    else:
        Batch.objects.update(holder="elsewhere", claimed_at=timezone.now() - timedelta(seconds=301))


def test_a_living_worker_keeps_what_it_holds(transport: SendGridTransport) -> None:
    send = make_prepared_send(2)
    assert claim(_only(send).pk, attempt=uuid4(), transport=transport.name)

    sweeping.sweep()

    assert _only(send).status == Batch.Status.BUILDING


def test_ten_lost_attempts_fail_the_batch_and_pause_the_send(transport: SendGridTransport) -> None:
    send = make_prepared_send(2)
    for _ in range(sweeping.MAX_LOST_ATTEMPTS):
        assert claim(_only(send).pk, attempt=uuid4(), transport=transport.name)
        _lose("stale")
        sweeping.release_held()

    send.refresh_from_db()
    assert _only(send).status == Batch.Status.FAILED
    assert send.status == Send.Status.PAUSED
    assert send.alarms.filter(code="lost_attempts").exists()
    assert counts(send).failed == 2


@pytest.mark.parametrize(
    ("age", "waiting", "rung"), [(1, 0, False), (20, 0, True), (20, 5, False), (301, 5, True), (301, None, False)]
)
def test_a_lost_doorbell_is_rung_again(
    age: int, waiting: int | None, rung: bool, transport: SendGridTransport, doorbells: Doorbells
) -> None:
    send = make_prepared_send(1)
    Batch.objects.update(rung_at=timezone.now() - timedelta(seconds=age), not_before=timezone.now() - timedelta(days=1))
    doorbells.batches.clear()
    doorbells.waiting = waiting

    sweeping.sweep()

    assert doorbells.batches == ([_only(send).pk] if rung else [])


def test_a_started_worker_rings_for_everything_that_is_due(transport: SendGridTransport, doorbells: Doorbells) -> None:
    send = make_prepared_send(1)
    doorbells.batches.clear()

    sweeping.sweep(ring_all=True)

    assert doorbells.batches == [_only(send).pk]


def test_a_broken_broker_loses_nothing(transport: SendGridTransport, doorbells: Doorbells) -> None:
    doorbells.broken = True
    send = make_prepared_send(1)
    assert _only(send).rung_at is None
    doorbells.broken = False

    sweeping.sweep()

    assert doorbells.batches == [_only(send).pk]


def test_a_send_whose_last_outcomes_crossed_is_finished(transport: SendGridTransport) -> None:
    send = make_prepared_send(1)
    Batch.objects.update(status=Batch.Status.SUBMITTED)

    sweeping.sweep()

    send.refresh_from_db()
    assert send.status == Send.Status.SENT
