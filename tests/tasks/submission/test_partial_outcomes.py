"""Requests whose recipients had different outcomes, through a real SMTP server."""

from collections import Counter
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, connection

from subscribers.models import Subscriber
from tasks.feedback import unsubscribing
from tasks.models import Attempt, Batch, Delivery, Exclusion, Send, TransportState
from tasks.providers.smtp.transport import SmtpTransport
from tasks.reconciliation import decisions, silence
from tasks.sends import control
from tasks.submission import building, fencing, outcomes, partial_outcomes, recovery
from tasks.submission.claiming import claim_batch
from tasks.submission.retries import MAX_ROUNDS
from tests.factories import make_prepared_send
from tests.smtp_server import ACCEPT_THEN_CLOSE, CLOSE, SmtpSink
from tests.tasks.submission.smtp_sends import check, gone, no_wait, once, submit_all

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


class _StaysOpen:
    """These tests run in one transaction: the connection must not be closed, only the write repeated."""

    in_atomic_block = False

    def close(self) -> None:
        pass

    def cursor(self) -> Any:
        return connection.cursor()


def test_all_accepted_is_submitted_as_anywhere(sink: SmtpSink, smtp: SmtpTransport, tmp_path: Path) -> None:
    send = make_prepared_send(5)
    submit_all(send, smtp)
    submit_all(send, smtp)

    check(send, submitted=5)
    assert len(sink.kept) == 5
    assert Attempt.objects.get().outcome == "accepted"
    assert not list((tmp_path / "journal").iterdir())
    send.refresh_from_db()
    assert send.status == Send.Status.SENT


@pytest.mark.parametrize("answer", [CLOSE, ACCEPT_THEN_CLOSE])
def test_a_cut_after_k_messages_leaves_one_unknown_and_sends_the_others_once(
    answer: str, sink: SmtpSink, smtp: SmtpTransport
) -> None:
    sink.script = once("text", 4, answer)
    send = make_prepared_send(10)

    submit_all(send, smtp)

    check(send, submitted=9, unknown=1, pending=0)
    assert max(Counter(sink.addresses()).values()) == 1
    assert len(sink.kept) == (10 if answer == ACCEPT_THEN_CLOSE else 9)
    send.refresh_from_db()
    assert send.status == Send.Status.SENDING


def test_those_at_whom_it_hangs_up_come_to_an_end_and_the_server_is_not_taken_for_away(
    sink: SmtpSink, smtp: SmtpTransport
) -> None:
    """Three of them in one request would look like a server that hangs up at everybody."""
    send = make_prepared_send(9)
    bad = set(list(Subscriber.objects.order_by("pk").values_list("email", flat=True))[2:7])
    sink.script = lambda where, _accepted, recipient: CLOSE if where == "rcpt" and recipient in bad else ""
    submit_all(send, smtp)
    sizes = Batch.objects.filter(send=send, status="pending").order_by("size").values_list("size", flat=True)
    assert list(sizes) == [1, 2, 2]

    for _ in range(MAX_ROUNDS):
        assert not TransportState.objects.exclude(throttled_until=None).exists()
        no_wait(send)
        submit_all(send, smtp)

    check(send, submitted=4, failed=5)
    send.refresh_from_db()
    assert send.status == Send.Status.SENT


def test_the_unknown_one_is_never_sent_again_by_itself_and_a_person_may(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = once("text", 0, CLOSE)
    send = make_prepared_send(3)
    submit_all(send, smtp)
    unknown = Batch.objects.get(send=send, status="unknown")
    Attempt.objects.update(finished_at="2020-01-01T00:00:00Z", fenced_at="2020-01-01T00:00:00Z")
    for _ in range(8):
        silence.reconcile(transport=smtp, grace=1)
        recovery.recover()
    no_wait(send)
    submit_all(send, smtp)
    check(send, submitted=2, unknown=1)
    assert len(sink.kept) == 2, "and no probe went out either"

    assert decisions.resend(unknown.pk, who="Ann")
    submit_all(send, smtp)

    check(send, submitted=3, unknown=0)
    send.refresh_from_db()
    assert send.status == Send.Status.SENT


def test_a_doubt_beside_accepted_ones_has_a_record_to_decide_on(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = gone("text", 2, CLOSE)
    send = make_prepared_send(4)
    submit_all(send, smtp)

    unknown = Batch.objects.get(send=send, status="unknown")
    record = Attempt.objects.get(pk=unknown.attempt)
    assert (record.outcome, record.size, record.batch_id) == ("unknown", 1, unknown.pk)
    first = Attempt.objects.get(outcome="accepted")
    assert record.evidence[0]["from_attempt"] == str(first.pk)
    assert first.evidence[0]["accepted"] == 2
    sink.script = lambda *_: ""
    assert decisions.resend(unknown.pk, who="Ann")
    no_wait(send)
    submit_all(send, smtp)
    check(send, submitted=4)


def test_a_reader_refused_for_good_fails_with_the_servers_words(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send = make_prepared_send(4)
    ids = list(
        Delivery.objects.filter(send_id=send.pk).order_by("subscriber_id").values_list("subscriber_id", flat=True)
    )
    number = [0]

    def second(stage: str, _accepted: int, _recipient: str) -> str:
        number[0] += stage == "rcpt"
        return "550 5.1.1 no such user" if stage == "rcpt" and number[0] == 2 else ""

    sink.script = second
    submit_all(send, smtp)

    check(send, submitted=3, failed=1)
    failed = Exclusion.objects.get(kind="failed")
    assert (failed.subscriber_id, failed.reason) == (ids[1], "550 5.1.1 no such user")
    send.refresh_from_db()
    assert send.status == Send.Status.SENT


def test_a_batch_of_refused_readers_only_fails(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = lambda stage, _n, _r: "550 5.1.1 no such user" if stage == "rcpt" else ""
    send = make_prepared_send(2)
    submit_all(send, smtp)

    check(send, failed=2)
    assert Batch.objects.get(send=send).status == Batch.Status.FAILED


def test_a_reader_who_is_put_off_twenty_times_fails(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send = make_prepared_send(3)
    sink.script = lambda stage, number, _r: "451 4.2.0 greylisted" if stage == "rcpt" and number == 2 else ""
    submit_all(send, smtp)
    check(send, submitted=2, pending=1)
    waiting = Batch.objects.get(send=send, status="pending")
    assert waiting.rounds == 1
    assert waiting.not_before > Attempt.objects.get().fenced_at
    for _ in range(18):
        no_wait(send)
        submit_all(send, smtp)
    check(send, submitted=2, pending=1)
    no_wait(send)
    submit_all(send, smtp)

    check(send, submitted=2, failed=1)
    assert Exclusion.objects.get(kind="failed").reason == "451 4.2.0 greylisted"


def test_a_sender_refused_midway_pauses_the_send_and_fails_nobody(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = lambda stage, number, _r: "550 5.7.1 not you" if stage == "mail" and number == 2 else ""
    send = make_prepared_send(5)
    submit_all(send, smtp)

    check(send, submitted=2, pending=3, failed=0)
    send.refresh_from_db()
    assert send.status == Send.Status.PAUSED
    assert "The SMTP server refused: The sender was refused: 550 5.7.1 not you" in send.pause_reason
    sink.script = lambda *_: ""
    control.resume(send.pk)
    no_wait(send)
    submit_all(send, smtp)
    check(send, submitted=5)
    assert max(Counter(sink.addresses()).values()) == 1


def test_those_not_tried_in_a_cancelled_send_are_cancelled(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send = make_prepared_send(5)
    original = smtp.post

    def cancel_and_post(body: Any) -> Any:
        control.cancel(send.pk)
        sink.script = gone("text", 2, CLOSE)
        return original(body)

    smtp.post = cancel_and_post  # type: ignore[method-assign]
    submit_all(send, smtp)

    check(send, submitted=2, unknown=1, excluded={"cancelled": 2})


def test_an_outcome_recorded_twice_splits_once(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = once("text", 0, CLOSE)
    send = make_prepared_send(4)
    held = claim_batch(Batch.objects.get(send=send).pk, attempt=uuid4(), transport=smtp.name)
    assert held is not None
    built = building.build(held)
    assert fencing.fence(held, built, transport=smtp.name)
    outcome = smtp.post(smtp.encode(built.message, built.recipients, attempt=held.attempt))
    for _ in range(3):
        outcomes.record(held, built, outcome, transport=smtp.name)

    check(send, unknown=1, pending=3)
    assert Batch.objects.filter(send=send).count() == 2
    assert len(Attempt.objects.get().evidence) == 1


def test_a_database_that_goes_away_while_splitting_is_written_whole_later(
    sink: SmtpSink, smtp: SmtpTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink.script = gone("text", 2, CLOSE)
    send = make_prepared_send(5)
    original, times = partial_outcomes._split_off, [0]

    def lose(*args: Any) -> Any:
        times[0] += 1
        if times[0] == 2:
            raise OperationalError("server closed the connection unexpectedly")
        return original(*args)

    monkeypatch.setattr(partial_outcomes, "_split_off", lose)
    monkeypatch.setattr("tasks.database.durability.connection", _StaysOpen())
    submit_all(send, smtp)

    check(send, submitted=2, unknown=1, pending=2)


def test_what_readers_did_moves_with_them(sink: SmtpSink, smtp: SmtpTransport) -> None:
    """A lying server: it accepts, hangs up, and its reader unsubscribes before the outcome is written."""
    sink.script = gone("text", 2, ACCEPT_THEN_CLOSE)
    send = make_prepared_send(4)
    ids = list(
        Delivery.objects.filter(send_id=send.pk).order_by("subscriber_id").values_list("subscriber_id", flat=True)
    )
    original = smtp.post

    def post_and_leave(body: Any) -> Any:
        outcome = original(body)
        unsubscribing.unsubscribe(
            publication_id=send.edition.publication_id, send_id=send.pk, subscriber_id=ids[2], source="link"
        )
        return outcome

    smtp.post = post_and_leave  # type: ignore[method-assign]
    submit_all(send, smtp)

    check(send, submitted=2, unknown=1, pending=1, unsubscribed=1)
    assert Batch.objects.get(send=send, status="unknown").unsubscribed == 1
    assert Batch.objects.get(send=send, status="submitted").unsubscribed == 0


def test_three_doubts_open_the_breaker_and_an_acceptance_closes_it(sink: SmtpSink, smtp: SmtpTransport) -> None:
    for _ in range(3):
        sink.script = once("text", 0, CLOSE)
        submit_all(make_prepared_send(1), smtp)
        sink.kept.clear()
    assert TransportState.objects.get(name=smtp.name).opened_at is not None
