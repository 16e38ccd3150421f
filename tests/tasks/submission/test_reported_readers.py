"""A reader in doubt is settled by a report about their mail (issue 13, point 8); the others of the request stay in doubt."""

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from newsdesk.core.environment import SmtpServer
from subscribers.models import Subscriber
from tasks.attempts import reader_proof
from tasks.feedback import applying
from tasks.feedback.delivery_reports import take_in
from tasks.models import Alarm, Attempt, Batch, Delivery, Send
from tasks.providers import registry
from tasks.providers.base import Reason, Refused
from tasks.providers.smtp.provider import envelope_ids
from tasks.providers.smtp.transport import SmtpTransport
from tasks.reconciliation import attempt_history, decisions
from tasks.submission import posting
from tests.delivery_reports import report
from tests.factories import make_prepared_send
from tests.smtp_server import ACCEPT_THEN_CLOSE, CLOSE, Kept, SmtpSink, running
from tests.tasks.submission.smtp_sends import check, gone, once, submit_all
from tests.waiting import LONG

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with running(SmtpSink(dsn=True)) as one:
        yield one


@pytest.fixture
def smtp(sink: SmtpSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmtpTransport]:
    server = SmtpServer(host="127.0.0.1", port=sink.port, security="plain")
    transport = SmtpTransport(server, journal=tmp_path / "journal", deadline=LONG, envelope_ids=envelope_ids())
    monkeypatch.setitem(registry._transports, os.getpid(), transport)
    yield transport
    transport.close()


def come_back(*kept: Kept, action: str = "failed", status: str = "5.2.2") -> None:
    """The server reports about mails that it has taken."""
    taken = take_in(report(one.parameters["ENVID"], one.recipient, action=action, status=status) for one in kept)
    assert taken.reports == len(kept)
    assert taken.receipt is not None
    applying.apply_receipt(taken.receipt)


def in_doubt(send: Send) -> set[str]:
    members = Delivery.objects.filter(
        send_id=send.pk, batch_id__in=Batch.objects.filter(send=send, status="unknown").values("pk")
    )
    return set(Subscriber.objects.filter(pk__in=members.values("subscriber_id")).values_list("email", flat=True))


def all_in_doubt(send: Send) -> None:
    """As a worker leaves it whose machine went down."""
    Send.objects.filter(pk=send.pk).update(status="sending")
    Batch.objects.filter(send=send).update(status="unknown")
    Attempt.objects.filter(batch__send=send).update(outcome="unknown", evidence=[])


def test_a_connection_that_was_cut_after_data_is_settled_by_the_report(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = once("text", 2, ACCEPT_THEN_CLOSE)
    send = make_prepared_send(6)
    submit_all(send, smtp)
    check(send, submitted=5, unknown=1)
    assert in_doubt(send) == {sink.kept[2].recipient}

    come_back(sink.kept[2])

    check(send, submitted=6, unknown=0, bounced=1)
    facts = [words for one in attempt_history.histories(send.pk) for _, words in one.facts]
    assert any(words.startswith("an event named it") for words in facts), facts


@pytest.mark.parametrize(("action", "status"), [("delayed", "4.4.1"), ("relayed", "2.1.9"), ("failed", "5.1.1")])
def test_whatever_the_report_says_the_server_had_the_mail(
    action: str, status: str, sink: SmtpSink, smtp: SmtpTransport
) -> None:
    sink.script = once("text", 1, ACCEPT_THEN_CLOSE)
    send = make_prepared_send(3)
    submit_all(send, smtp)
    check(send, submitted=2, unknown=1)

    come_back(sink.kept[1], action=action, status=status)

    check(send, submitted=3, unknown=0)


def test_reports_about_others_of_the_request_settle_nobody(sink: SmtpSink, smtp: SmtpTransport) -> None:
    """SendGrid takes a request or does not; an SMTP server takes each mail by itself."""
    sink.script = once("text", 2, "close")
    send = make_prepared_send(6)
    submit_all(send, smtp)
    check(send, submitted=5, unknown=1)

    come_back(*sink.kept, action="delivered", status="2.0.0")

    check(send, submitted=5, unknown=1, delivered=5)


def test_a_whole_batch_in_doubt_is_settled_reader_by_reader(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send = make_prepared_send(8)
    submit_all(send, smtp)
    all_in_doubt(send)
    check(send, unknown=8)

    come_back(sink.kept[0])
    check(send, submitted=1, unknown=7, bounced=1)
    for kept in sink.kept[1:5]:
        come_back(kept)
        come_back(kept)
    check(send, submitted=5, unknown=3, bounced=5)
    assert Batch.objects.filter(send=send).count() == 2, "one for all who were proven, not one for each"
    assert in_doubt(send) == {kept.recipient for kept in sink.kept[5:]}
    words = [words for one in attempt_history.histories(send.pk, everything=True) for _, words in one.facts]
    assert any("the mail server reported of its readers" in one for one in words), words

    come_back(*sink.kept[5:])
    check(send, submitted=8, unknown=0, bounced=8)


def test_who_is_to_be_sent_again_is_not_once_it_is_known_that_they_have_it(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send = make_prepared_send(5)
    submit_all(send, smtp)
    all_in_doubt(send)
    decisions.resend(Batch.objects.get(send=send).pk, who="ada")
    check(send, pending=5)

    come_back(*sink.kept[:2])

    check(send, submitted=2, pending=3)
    first = sink.addresses()
    submit_all(send, smtp)
    check(send, submitted=5)
    assert sorted(sink.addresses()) == sorted(first + first[2:])


def test_a_worker_that_has_begun_to_build_leaves_out_who_has_it(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send = make_prepared_send(4)
    submit_all(send, smtp)
    all_in_doubt(send)
    batch = Batch.objects.get(send=send)
    decisions.resend(batch.pk, who="ada")
    Batch.objects.filter(pk=batch.pk).update(status="building", attempt="00000000-0000-4000-8000-000000000001")

    come_back(sink.kept[0])

    batch.refresh_from_db()
    assert (batch.status, batch.attempt) == ("pending", None), "its fence fails"
    check(send, submitted=1, pending=3)


def test_who_was_sent_it_again_and_had_it_is_an_alarm(sink: SmtpSink, smtp: SmtpTransport) -> None:
    send = make_prepared_send(2)
    submit_all(send, smtp)
    first = list(sink.kept)
    all_in_doubt(send)
    decisions.resend(Batch.objects.get(send=send).pk, who="ada")
    submit_all(send, smtp)
    check(send, submitted=2)
    assert not Alarm.objects.filter(code="accepted_twice").exists()

    come_back(first[0])

    assert Alarm.objects.filter(code="accepted_twice", send=send).count() == 1
    check(send, submitted=2)


def test_who_is_being_sent_it_again_leaves_the_second_request(sink: SmtpSink, smtp: SmtpTransport) -> None:
    """It may be refused yet: then they would wait with the others for a third one."""
    send = make_prepared_send(4)
    submit_all(send, smtp)
    first = list(sink.kept)
    all_in_doubt(send)
    decisions.resend(Batch.objects.get(send=send).pk, who="ada")
    second = posting.begin(smtp)
    assert isinstance(second, posting.Request)

    come_back(first[0])
    check(send, submitted=1, submitting=3)
    posting.settle(second, Refused(reason=Reason.NOT_SENT, message="no connection"), smtp)

    check(send, submitted=1, pending=3)
    assert not Alarm.objects.filter(code="accepted_twice").exists()


def test_a_report_that_comes_before_the_doubt_is_not_forgotten(sink: SmtpSink, smtp: SmtpTransport) -> None:
    """The first of a thousand may come back while the last is still being sent."""
    send = make_prepared_send(4)
    submit_all(send, smtp)
    Batch.objects.filter(send=send).update(status="submitting")
    Attempt.objects.filter(batch__send=send).update(outcome="", evidence=[])

    come_back(sink.kept[0])
    check(send, submitting=4)
    all_in_doubt(send)

    assert reader_proof.catch_up() == 1
    check(send, submitted=1, unknown=3)
    assert reader_proof.catch_up() == 0
    come_back(*sink.kept[1:3])
    check(send, submitted=3, unknown=1)


def test_a_worker_that_comes_back_late_finds_them_settled(
    sink: SmtpSink, smtp: SmtpTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recovery had taken its batch for unknown, and a report came before its own answers."""
    sink.script = once("text", 2, ACCEPT_THEN_CLOSE)
    send = make_prepared_send(6)
    original = smtp.post

    def cut_off(body: Any) -> Any:
        outcome = original(body)
        all_in_doubt(send)
        come_back(sink.kept[2])
        check(send, submitted=1, unknown=5)
        return outcome

    monkeypatch.setattr(smtp, "post", cut_off)
    submit_all(send, smtp)

    check(send, submitted=6, unknown=0, bounced=1)


def test_reports_in_any_order_leave_every_reader_in_one_place(sink: SmtpSink, smtp: SmtpTransport) -> None:
    chance = Random(20250602)
    for _ in range(6):
        sink.kept.clear()
        sink.script = once("text", chance.randrange(1, 8), chance.choice([ACCEPT_THEN_CLOSE, CLOSE]))
        send = make_prepared_send(12)
        submit_all(send, smtp)
        if chance.random() < 0.5:
            all_in_doubt(send)
        mails = [chance.choice(sink.kept) for _ in range(15)]
        for kept in mails:
            come_back(kept, action=chance.choice(["failed", "delayed", "relayed"]), status="4.4.1")
            reader_proof.catch_up()
            check(send)
        reached = {kept.recipient for kept in mails}
        assert in_doubt(send).isdisjoint(reached)
        come_back(*sink.kept)
        check(send, unknown=12 - len(sink.kept), submitted=len(sink.kept))


def test_a_batch_that_a_person_has_left_is_settled_all_the_same(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = gone("text", 0, ACCEPT_THEN_CLOSE)
    send = make_prepared_send(1)
    submit_all(send, smtp)
    decisions.leave(Batch.objects.get(send=send).pk, who="ada")

    come_back(sink.kept[0])

    check(send, submitted=1, unknown=0)
