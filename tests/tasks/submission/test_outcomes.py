"""One batch through a real local SendGrid: what each answer leads to."""

import random
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from sandbox.server import Sandbox
from subscribers.models import Subscriber, Subscription
from tasks.models import Attempt, Batch, Exclusion, Send, TransportState
from tasks.providers.base import Accepted, Outcome, Partial, Reason, Refused, Unknown
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.sends import control
from tasks.sends.counts import counts
from tasks.submission import outcomes
from tests.factories import make_prepared_send, make_suppression
from tests.tasks.conftest import FakeQueue
from tests.tasks.submission.batches import readers_of, submit

pytestmark = pytest.mark.django_db


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


def test_a_redelivered_task_message_sends_nothing_twice(sandbox: Sandbox, transport: SendGridTransport) -> None:
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
    kind: str, sandbox: Sandbox, transport: SendGridTransport, fault: Any, request: pytest.FixtureRequest
) -> None:
    fault(kind, times=1)
    if kind == "accept-then-hang":
        request.getfixturevalue("deadline_once_it_hangs")
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
    assert "cannot be reached: " in TransportState.objects.get(name=nobody.name).throttle_reason


def test_too_many_requests_waits_as_long_as_it_was_told(
    transport: SendGridTransport, fault: Any, sandbox: Sandbox
) -> None:
    fault("rate-limit", retry_after=30, times=1)
    send = make_prepared_send(2)

    before = timezone.now()
    batch = submit(send, transport)
    after = timezone.now()
    too_early = submit(send, transport)

    assert batch.status == too_early.status == Batch.Status.PENDING
    assert before <= batch.not_before - timedelta(seconds=30) <= after
    assert batch.rounds == 0, "it is no refusal of readers, after so many of which a send pauses"
    assert sandbox.ledger.counts()["requests"] == 0


@pytest.mark.parametrize("fields", [{"headers": False}, {"retry_after": 0}])
@pytest.mark.parametrize(("stalls", "seconds"), [(0, 2), (3, 16)])
def test_too_many_requests_without_a_word_backs_off_longer_each_time(
    stalls: int,
    seconds: int,
    fields: dict[str, Any],
    transport: SendGridTransport,
    fault: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(random, "uniform", lambda _least, _most: 1.0)
    fault("rate-limit", times=1, **fields)
    send = make_prepared_send(1)
    Batch.objects.update(stalls=stalls)

    before = timezone.now()
    batch = submit(send, transport)

    assert before <= batch.not_before - timedelta(seconds=seconds) <= timezone.now()
    assert batch.stalls == stalls + 1


def test_whoever_is_refused_in_vain_is_tried_again_by_a_worker_that_is_woken(
    transport: SendGridTransport, fault: Any, fake_queue: FakeQueue, django_capture_on_commit_callbacks: Any
) -> None:
    fault("rate-limit", retry_after=3, times=1)
    send = make_prepared_send(1)
    fake_queue.messages.clear()

    with django_capture_on_commit_callbacks(execute=True):
        batch = submit(send, transport)

    assert [(args, round(seconds)) for _, args, seconds in fake_queue.messages] == [((batch.pk,), 3)]


def test_nobody_is_woken_for_a_send_that_pauses(
    transport: SendGridTransport, fault: Any, fake_queue: FakeQueue, django_capture_on_commit_callbacks: Any
) -> None:
    fault("answer", status=401, text="no", times=1)
    send = make_prepared_send(1)
    fake_queue.messages.clear()

    with django_capture_on_commit_callbacks(execute=True):
        assert submit(send, transport).status == Batch.Status.PENDING

    assert fake_queue.batches == []


def test_a_bad_recipient_is_set_aside_and_the_rest_goes_out(
    sandbox: Sandbox, transport: SendGridTransport, fault: Any
) -> None:
    fault("bad-recipient", personalizations=[1], times=1)
    send = make_prepared_send(3)
    Batch.objects.update(stalls=5)

    first = submit(send, transport)
    second = submit(send, transport)

    assert (first.status, first.failed, first.stalls) == (Batch.Status.PENDING, 1, 0)
    assert second.status == Batch.Status.SUBMITTED
    told = counts(send)
    assert (told.submitted, told.failed, told.adds_up) == (2, 1, True)
    failed = Exclusion.objects.get(kind="failed")
    assert (failed.subscriber_id, failed.attempt) == (readers_of(send)[1], 2), "the first request had them"
    assert "valid address" in failed.reason
    assert sandbox.ledger.counts()["accepted"] == 2


def test_a_batch_of_bad_recipients_only_fails(transport: SendGridTransport, fault: Any) -> None:
    fault("bad-recipient", personalizations=[0, 1], times=1)
    send = make_prepared_send(2)

    batch = submit(send, transport)

    assert batch.status == Batch.Status.FAILED
    send.refresh_from_db()
    assert (send.status, counts(send).failed) == (Send.Status.SENT, 2)


def test_a_batch_whose_last_readers_fail_after_others_have_left_comes_to_its_end(
    transport: SendGridTransport, fault: Any
) -> None:
    send = make_prepared_send(3)
    make_suppression(Subscriber.objects.get(pk=readers_of(send)[0]))
    fault("bad-recipient", personalizations=[0, 1], times=1)

    assert submit(send, transport).status == Batch.Status.FAILED

    send.refresh_from_db()
    told = counts(send)
    assert (send.status, told.failed, told.excluded, told.adds_up) == (Send.Status.SENT, 2, {"hard_bounce": 1}, True)


def test_whoever_is_named_without_a_word_fails_and_a_place_behind_the_last_is_nobody(
    transport: SendGridTransport,
) -> None:
    send = make_prepared_send(3)
    transport.post = lambda _body: Refused(  # type: ignore[method-assign]
        reason=Reason.BAD_REQUEST, message="two are wrong", recipients_at_fault={0: "", 3: "who?"}
    )

    assert submit(send, transport).status == Batch.Status.PENDING

    failed = Exclusion.objects.get(kind="failed")
    assert (failed.subscriber_id, failed.reason) == (readers_of(send)[0], "refused")


@pytest.mark.parametrize(
    "outcome",
    [
        Refused(reason=Reason.NOT_ALLOWED, message="x" * 1000),
        Unknown(message="x" * 1000),
        Partial(
            accepted=frozenset({0, 1}),
            refused={},
            put_off={},
            not_tried=frozenset(),
            unknown=frozenset(),
            message="x" * 1000,
        ),
    ],
    ids=["refused", "unknown", "partial"],
)
def test_an_answer_of_any_length_is_recorded_with_its_beginning(outcome: Outcome, transport: SendGridTransport) -> None:
    send = make_prepared_send(2)
    transport.post = lambda _body: outcome  # type: ignore[method-assign]

    submit(send, transport)

    assert Attempt.objects.get().evidence[0]["said"] == "x" * 300


def test_a_provider_may_name_a_request_as_long_as_it_likes(transport: SendGridTransport) -> None:
    send = make_prepared_send(1)
    transport.post = lambda _body: Accepted(http_status=202, provider_id="7" * 1000)  # type: ignore[method-assign]

    assert submit(send, transport).status == Batch.Status.SUBMITTED
    assert Attempt.objects.get().provider_id == "7" * 200


def test_after_some_have_failed_a_refusal_that_names_nobody_pauses_the_send(
    transport: SendGridTransport, fault: Any
) -> None:
    fault("bad-recipient", personalizations=[0], times=3)
    wrong = {"errors": [{"message": "no", "field": "subject"}]}
    send = make_prepared_send(200)
    for _ in range(3):
        submit(send, transport)
    fault("answer", status=400, json=wrong, times=1)

    submit(send, transport)

    send.refresh_from_db()
    assert send.status == Send.Status.PAUSED
    assert "named no recipient" in send.pause_reason
    assert (counts(send).failed, counts(send).pending) == (3, 197)


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
    send = make_prepared_send(200)

    for _ in range(4):
        submit(send, transport)

    send.refresh_from_db()
    assert send.status == Send.Status.PAUSED
    assert "refused 3 times" in send.pause_reason
    assert counts(send).failed == 3
