"""A submission that something comes between: a cancel, a pause, another worker, a database that goes away."""

from typing import Any
from uuid import uuid4

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError

from sandbox.server import Sandbox
from tasks.attempts import proof
from tasks.database import high_water
from tasks.http import first_byte
from tasks.models import Attempt, Batch, Send, TransportState
from tasks.providers.base import Reason, Refused
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.sends import control
from tasks.sends.counts import counts
from tasks.submission import building, fencing, outcomes, posting
from tasks.submission.claiming import claim_batch
from tests.factories import make_prepared_send
from tests.tasks.conftest import FakeQueue
from tests.tasks.submission.batches import only_batch, submit

pytestmark = pytest.mark.django_db


def test_refused_in_a_cancelled_send_is_cancelled(transport: SendGridTransport, fault: Any) -> None:
    send = make_prepared_send(2)
    fault("rate-limit", times=1)
    original = transport.post

    def cancel_then_post(body: bytes) -> Any:
        assert control.cancel(send.pk)
        return original(body)

    transport.post = cancel_then_post  # type: ignore[method-assign]
    batch = submit(send, transport)

    assert batch.status == Batch.Status.CANCELLED
    assert counts(send).excluded == {"cancelled": 2}


def test_a_pause_between_claim_and_fence_posts_nothing_and_loses_nobody(transport: SendGridTransport) -> None:
    send = make_prepared_send(2)
    held = claim_batch(only_batch(send).pk, attempt=uuid4(), transport=transport.name)
    assert held is not None
    built = building.build(held)
    control.pause(send.pk, "lunch")

    assert fencing.fence(held, built, transport=transport.name) is None
    assert only_batch(send).status == Batch.Status.PENDING
    assert control.resume(send.pk)
    assert submit(send, transport).status == Batch.Status.SUBMITTED


def test_cancel_between_claim_and_fence_posts_nothing(sandbox: Sandbox, transport: SendGridTransport) -> None:
    send = make_prepared_send(2)
    held = claim_batch(only_batch(send).pk, attempt=uuid4(), transport=transport.name)
    assert held is not None
    built = building.build(held)
    control.cancel(send.pk)

    assert fencing.fence(held, built, transport=transport.name) is None
    assert only_batch(send).status == Batch.Status.CANCELLED
    assert not Attempt.objects.exists()


def test_only_one_of_two_claims_wins_and_a_lost_claim_cannot_fence(transport: SendGridTransport) -> None:
    send = make_prepared_send(2)
    batch = only_batch(send)
    held = claim_batch(batch.pk, attempt=uuid4(), transport=transport.name)
    assert held is not None
    assert claim_batch(batch.pk, attempt=uuid4(), transport=transport.name) is None
    built = building.build(held)
    Batch.objects.update(status=Batch.Status.PENDING)
    other = claim_batch(batch.pk, attempt=uuid4(), transport=transport.name)
    assert other is not None

    assert fencing.fence(held, built, transport=transport.name) is None
    assert fencing.fence(other, built, transport=transport.name)


def test_three_unknowns_open_the_breaker_and_one_probe_a_minute_closes_it(
    sandbox: Sandbox, transport: SendGridTransport, fault: Any
) -> None:
    fault("error", times=3)
    for _ in range(3):
        submit(make_prepared_send(1), transport)
    waiting = make_prepared_send(1)

    assert submit(waiting, transport).status == Batch.Status.PENDING
    TransportState.objects.update(probed_at="2020-01-01T00:00:00Z")
    assert submit(waiting, transport).status == Batch.Status.SUBMITTED
    assert submit(make_prepared_send(1), transport).status == Batch.Status.SUBMITTED


def test_a_paused_send_is_not_claimed(transport: SendGridTransport, fake_queue: FakeQueue) -> None:
    send = make_prepared_send(1)
    control.pause(send.pk, "lunch")

    batch = submit(send, transport)
    assert (batch.status, batch.attempts) == (Batch.Status.PENDING, 0), "no worker builds it in vain"
    fake_queue.messages.clear()
    control.resume(send.pk)
    assert fake_queue.batches == [only_batch(send).pk]


def test_another_database_pauses_the_send_and_doubts_its_open_batches(
    sandbox: Sandbox, transport: SendGridTransport
) -> None:
    send = make_prepared_send(1)
    Send.objects.update(system_identifier="another")

    assert submit(send, transport).status == Batch.Status.UNKNOWN
    send.refresh_from_db()
    assert send.status == Send.Status.PAUSED
    assert sandbox.ledger.counts()["requests"] == 0


def test_an_outcome_written_twice_is_written_once(transport: SendGridTransport) -> None:
    send = make_prepared_send(2)
    held = claim_batch(only_batch(send).pk, attempt=uuid4(), transport=transport.name)
    assert held is not None
    built = building.build(held)
    assert fencing.fence(held, built, transport=transport.name)
    outcome = transport.post(transport.encode(built.message, built.recipients, attempt=held.attempt))

    outcomes.record(held, built, outcome, transport=transport.name)
    outcomes.record(held, built, outcome, transport=transport.name)

    assert only_batch(send).status == Batch.Status.SUBMITTED
    assert len(Attempt.objects.get().evidence) == 1


def test_evidence_overrules_a_later_refusal(transport: SendGridTransport) -> None:
    """SendGrid accepted it, its webhook was quicker than its answer, and the answer was a lie."""
    send = make_prepared_send(2)
    held = claim_batch(only_batch(send).pk, attempt=uuid4(), transport=transport.name)
    assert held is not None
    built = building.build(held)
    assert fencing.fence(held, built, transport=transport.name)
    proof.prove_accepted({held.attempt: send.pk}, by={"kind": "event"})

    refused = Refused(reason=Reason.TOO_MANY, message="HTTP 429", http_status=429)
    outcomes.record(held, built, refused, transport=transport.name)

    assert only_batch(send).status == Batch.Status.SUBMITTED
    assert Attempt.objects.get().outcome == "accepted"


@pytest.mark.parametrize("lost_at", ["claim_batch", "build", "fence", "fence after its commit"])
def test_a_database_that_goes_away_before_the_post_leaves_the_batch_pending(
    lost_at: str, sandbox: Sandbox, transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = make_prepared_send(2)
    step = lost_at.split(maxsplit=1)[0]
    original = getattr(posting, step)

    def lose(*args: Any, **kwargs: Any) -> Any:
        if lost_at != "build":
            original(*args, **kwargs)
        raise OperationalError("server closed the connection unexpectedly")

    if lost_at == "fence":
        monkeypatch.setattr(posting, "fence", lambda *_, **__: lose_before())
    else:
        monkeypatch.setattr(posting, step, lose)

    def lose_before() -> Any:
        raise OperationalError("server closed the connection unexpectedly")

    with pytest.raises(OperationalError):
        submit(send, transport)

    assert only_batch(send).status == Batch.Status.PENDING
    assert sandbox.ledger.counts()["requests"] == 0
    assert not Attempt.objects.exclude(outcome="refused").exists()
    monkeypatch.undo()


@pytest.mark.parametrize(("since_fence", "posts"), [(15.0, True), (15.5, False), (100.0, False)])
def test_a_worker_suspended_after_the_fence_posts_within_fifteen_seconds_or_not_at_all(
    since_fence: float, posts: bool, sandbox: Sandbox, transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = [1000.0]
    monkeypatch.setattr(first_byte, "now", lambda: moments[-1])
    advance = high_water.advance
    monkeypatch.setattr(high_water, "advance", lambda fence: [moments.append(1000.0 + since_fence), advance(fence)])
    send = make_prepared_send(2)

    assert submit(send, transport).status == (Batch.Status.SUBMITTED if posts else Batch.Status.PENDING)
    assert sandbox.ledger.counts()["requests"] == posts
    assert Attempt.objects.get().outcome == ("accepted" if posts else "refused")


def test_a_batch_that_cannot_be_built_pauses_its_send(
    transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("From")

    monkeypatch.setattr("tasks.submission.building.message_of", broken)
    send = make_prepared_send(2)

    with pytest.raises(KeyError):
        submit(send, transport)

    send.refresh_from_db()
    assert (send.status, counts(send).pending) == (Send.Status.PAUSED, 2)
    assert "cannot be built: KeyError" in send.pause_reason


def test_a_worker_whose_time_is_over_gives_the_batch_back_and_pauses_nothing(
    transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = make_prepared_send(2)

    def too_late(*_: Any, **__: Any) -> Any:
        raise SoftTimeLimitExceeded

    monkeypatch.setattr("tasks.submission.building.message_of", too_late)
    with pytest.raises(SoftTimeLimitExceeded):
        submit(send, transport)

    assert (only_batch(send).status, counts(send).status) == (Batch.Status.PENDING, "sending")
