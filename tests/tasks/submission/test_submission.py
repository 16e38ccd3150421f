"""One batch against a real sandbox that tells the truth, refuses, hangs up and lies."""

from typing import Any
from uuid import uuid4

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError

from sandbox.server import Sandbox
from subscribers.models import Subscriber, Subscription
from tasks.attempts import proof
from tasks.models import Attempt, Batch, Delivery, Exclusion, Send, TransportState
from tasks.providers.base import Reason, Refused
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.sends import control
from tasks.sends.counts import counts
from tasks.submission import building, fencing, outcomes, posting
from tasks.submission.claiming import claim_batch
from tests.factories import make_prepared_send, make_suppression
from tests.tasks.conftest import FakeQueue

pytestmark = pytest.mark.django_db


def only_batch(send: Send) -> Batch:
    return Batch.objects.get(send=send)


def submit(send: Send, transport: SendGridTransport) -> Batch:
    posting.submit_batch(only_batch(send).pk, transport=transport)
    return only_batch(send)


def readers_of(send: Send) -> list[int]:
    return list(
        Delivery.objects.filter(send_id=send.pk).order_by("subscriber_id").values_list("subscriber_id", flat=True)
    )


def test_an_accepted_batch_is_submitted_and_the_send_is_sent(sandbox: Sandbox, transport: SendGridTransport) -> None:
    send = make_prepared_send(3)

    batch = submit(send, transport)

    assert batch.status == Batch.Status.SUBMITTED
    attempt = Attempt.objects.get()
    assert (attempt.outcome, attempt.http_status, attempt.size) == ("accepted", 202, 3)
    assert attempt.provider_id
    assert sandbox.ledger.counts(f"edition-{send.edition_id}") == {
        "requests": 1, "accepted": 3, "distinct": 3, "duplicates": 0,
    }  # fmt: skip
    send.refresh_from_db()
    assert send.status == Send.Status.SENT
    assert counts(send).submitted == 3


def test_a_redelivered_doorbell_sends_nothing_twice(sandbox: Sandbox, transport: SendGridTransport) -> None:
    send = make_prepared_send(2)

    submit(send, transport)
    submit(send, transport)

    assert sandbox.ledger.counts()["requests"] == 1


def test_each_reader_gets_own_headers_and_values(sandbox: Sandbox, transport: SendGridTransport) -> None:
    send = make_prepared_send(2)

    submit(send, transport)

    messages = sandbox.ledger.messages(category=f"send-{send.pk}", limit=10)
    assert {message.recipient.delivery for message in messages} == {
        f"{send.pk}.{reader}" for reader in readers_of(send)
    }
    mail = messages[0].request.mail
    recipients = mail["personalizations"]
    urls = [item["headers"]["List-Unsubscribe"] for item in recipients]
    assert len(set(urls)) == 2
    assert all(item["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click" for item in recipients)
    assert all(
        item["substitutions"]["-ndUnsubscribeUrl-"] == url.strip("<>")
        for item, url in zip(recipients, urls, strict=True)
    )
    assert recipients[0]["substitutions"]["-ndName-"].startswith("Reader ")
    assert mail["headers"]["List-Id"] == "<weekly.example.com>"


def test_whoever_left_since_preparation_is_not_written_to(sandbox: Sandbox, transport: SendGridTransport) -> None:
    send = make_prepared_send(4)
    stays, bounced, unsubscribed, erased = readers_of(send)
    make_suppression(Subscriber.objects.get(pk=bounced))
    Subscriber.objects.get(pk=unsubscribed).subscriptions.update(status="unsubscribed")
    Subscriber.objects.get(pk=erased).delete()

    submit(send, transport)

    (message,) = sandbox.ledger.messages(category=f"send-{send.pk}")
    assert message.recipient.delivery == f"{send.pk}.{stays}"
    told = counts(send)
    assert told.excluded == {"hard_bounce": 1, "unsubscribed": 1, "erased": 1}
    assert (told.submitted, told.adds_up) == (1, True)
    assert set(Exclusion.objects.values_list("attempt", flat=True)) == {1}


def test_a_batch_whose_readers_all_left_is_not_posted(sandbox: Sandbox, transport: SendGridTransport) -> None:
    send = make_prepared_send(2)
    Subscription.objects.update(status="unsubscribed")

    submit(send, transport)

    assert sandbox.ledger.counts()["requests"] == 0
    send.refresh_from_db()
    assert send.status == Send.Status.SENT
    assert counts(send).excluded == {"unsubscribed": 2}


@pytest.mark.parametrize(
    "kind", ["accept-then-close", "reject-then-close", "accept-then-reset", "accept-then-hang", "accept-then-error",
             "error", "bad-gateway", "redirect", "truncated"]
)  # fmt: skip
def test_what_cannot_be_known_is_unknown_and_never_sent_again_by_itself(
    kind: str, sandbox: Sandbox, transport: SendGridTransport, fault: Any
) -> None:
    fault(kind, times=1)
    send = make_prepared_send(2)

    batch = submit(send, transport)
    again = submit(send, transport)

    assert batch.status == again.status == Batch.Status.UNKNOWN
    assert Attempt.objects.get().outcome == "unknown"
    assert sandbox.ledger.counts()["requests"] <= 1
    send.refresh_from_db()
    assert send.status == Send.Status.SENDING
    assert counts(send).unknown == 2


def test_a_connection_refused_is_tried_again(transport: SendGridTransport, fake_queue: FakeQueue) -> None:
    send = make_prepared_send(2)
    nobody = SendGridTransport(api_key="SG.test", host="http://127.0.0.1:9")

    batch = submit(send, nobody)

    assert batch.status == Batch.Status.PENDING
    assert Attempt.objects.get().outcome == "refused"
    assert counts(send).pending == 2


def test_too_many_requests_waits_as_long_as_it_was_told(
    transport: SendGridTransport, fault: Any, sandbox: Sandbox
) -> None:
    fault("rate-limit", retry_after=30, times=1)
    send = make_prepared_send(2)

    batch = submit(send, transport)
    too_early = submit(send, transport)

    assert batch.status == too_early.status == Batch.Status.PENDING
    assert 25 < (batch.not_before - Attempt.objects.get().fenced_at).total_seconds() < 35
    assert sandbox.ledger.counts()["requests"] == 0


def test_too_many_requests_without_a_word_backs_off(transport: SendGridTransport, fault: Any) -> None:
    fault("rate-limit", headers=False, times=1)
    send = make_prepared_send(1)

    batch = submit(send, transport)

    assert 1 < (batch.not_before - Attempt.objects.get().fenced_at).total_seconds() < 4


def test_a_bad_recipient_is_set_aside_and_the_rest_goes_out(
    sandbox: Sandbox, transport: SendGridTransport, fault: Any
) -> None:
    fault("bad-recipient", personalizations=[1], times=1)
    send = make_prepared_send(3)

    first = submit(send, transport)
    second = submit(send, transport)

    assert (first.status, first.failed) == (Batch.Status.PENDING, 1)
    assert second.status == Batch.Status.SUBMITTED
    told = counts(send)
    assert (told.submitted, told.failed, told.adds_up) == (2, 1, True)
    failed = Exclusion.objects.get(kind="failed")
    assert failed.subscriber_id == readers_of(send)[1]
    assert "valid address" in failed.reason
    assert sandbox.ledger.counts()["accepted"] == 2


def test_a_batch_of_bad_recipients_only_fails(transport: SendGridTransport, fault: Any) -> None:
    fault("bad-recipient", personalizations=[0, 1], times=1)
    send = make_prepared_send(2)

    batch = submit(send, transport)

    assert batch.status == Batch.Status.FAILED
    send.refresh_from_db()
    assert (send.status, counts(send).failed) == (Send.Status.SENT, 2)


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        ("answer", {"status": 400, "json": {"errors": [{"message": "no", "field": "subject"}]}}, "named no recipient"),
        ("answer", {"status": 401, "text": "no"}, "401"),
        ("answer", {"status": 403, "text": "no"}, "403"),
        ("answer", {"status": 404, "text": "no"}, "404"),
        ("answer", {"status": 413, "text": "no"}, "413"),
        ("credits-exceeded", {}, "credits exceeded"),
    ],
)
def test_a_refusal_that_concerns_all_pauses_the_send_and_loses_nobody(
    kind: str, fields: dict[str, Any], words: str, transport: SendGridTransport, fault: Any, fake_queue: FakeQueue
) -> None:
    fault(kind, times=1, **fields)
    send = make_prepared_send(2)

    submit(send, transport)

    send.refresh_from_db()
    assert send.status == Send.Status.PAUSED
    assert words in send.pause_reason
    assert counts(send).pending == 2
    assert submit(send, transport).status == Batch.Status.PENDING
    assert control.resume(send.pk)
    Batch.objects.update(not_before=send.prepared_at)
    assert submit(send, transport).status == Batch.Status.SUBMITTED


def test_twenty_rounds_of_bad_recipients_pause_the_send(
    transport: SendGridTransport, fault: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "MAX_ROUNDS", 3)
    fault("bad-recipient", personalizations=[0])
    send = make_prepared_send(6)

    for _ in range(4):
        submit(send, transport)

    send.refresh_from_db()
    assert send.status == Send.Status.PAUSED
    assert "refused 3 times" in send.pause_reason
    assert counts(send).failed == 3


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


def test_cancel_between_claim_and_fence_posts_nothing(sandbox: Sandbox, transport: SendGridTransport) -> None:
    send = make_prepared_send(2)
    held = claim_batch(only_batch(send).pk, attempt=uuid4(), transport=transport.name)
    assert held is not None
    built = building.build(held)
    control.cancel(send.pk)

    assert fencing.fence(held, built, transport=transport.name) is False
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

    assert fencing.fence(held, built, transport=transport.name) is False
    assert fencing.fence(other, built, transport=transport.name) is True


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

    assert submit(send, transport).status == Batch.Status.PENDING
    fake_queue.messages.clear()
    control.resume(send.pk)
    assert fake_queue.batches == [only_batch(send).pk]


def test_a_moved_ground_pauses_the_send_and_doubts_its_open_batches(
    sandbox: Sandbox, transport: SendGridTransport
) -> None:
    send = make_prepared_send(1)
    Send.objects.update(timeline=99)

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


def test_a_worker_suspended_after_the_fence_does_not_post(
    sandbox: Sandbox, transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "FENCE_SECONDS", -1.0)
    send = make_prepared_send(2)

    assert submit(send, transport).status == Batch.Status.PENDING
    assert sandbox.ledger.counts()["requests"] == 0
    assert Attempt.objects.get().outcome == "refused"


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
