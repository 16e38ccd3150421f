"""SMTP against a server that refuses, hangs up, lies and goes away."""

import smtplib
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tasks.providers.base import Accepted, Outcome, Partial, Reason, Refused, Unknown
from tasks.providers.smtp import transport as smtp_module
from tasks.providers.smtp.connection import Connection
from tasks.providers.smtp.transport import SmtpTransport
from tests.smtp_server import ACCEPT_THEN_CLOSE, CLOSE, HANG, Script, SmtpSink, running
from tests.tasks.providers.conftest import server_of
from tests.tasks.providers.messages import encode, make_recipient, make_recipients
from tests.waiting import LONG, FakeClock

pytestmark = pytest.mark.integration


@pytest.fixture(params=[True, False], ids=["pipelined", "step by step"])
def sink(request: pytest.FixtureRequest) -> Iterator[SmtpSink]:
    with running(SmtpSink(pipelining=request.param)) as one:
        yield one


def post(transport: SmtpTransport, number: int) -> Outcome:
    return transport.post(encode(transport, make_recipients(number)))


def divided(outcome: Outcome) -> Partial:
    assert isinstance(outcome, Partial)
    groups = [outcome.accepted, outcome.refused.keys(), outcome.put_off.keys(), outcome.not_tried, outcome.unknown]
    members = [position for group in groups for position in group]
    assert sorted(members) == list(range(len(members))), "each is in exactly one group"
    return outcome


def at(stage: str, number: int, answer: str, *, times: int = 1) -> Script:
    """A script: this answer at this stage once that many messages were accepted, so many times."""
    left = [times]

    def script(where: str, accepted: int, _recipient: str) -> str:
        if where == stage and accepted >= number and left[0]:
            left[0] -= 1
            return answer
        return ""

    return script


def for_recipient(stage: str, recipient: str, answer: str) -> Script:
    return lambda where, _accepted, whom: answer if (where, whom) == (stage, recipient) else ""


def test_the_message_id_is_the_deliverys_own_and_stays_when_it_is_sent_again(
    sink: SmtpSink, smtp: SmtpTransport
) -> None:
    post(smtp, 2)
    post(smtp, 2)

    ids = [line for kept in sink.kept for line in kept.message.splitlines() if line.startswith(b"Message-ID:")]
    assert ids[:2] == ids[2:]
    assert len(set(ids)) == 2
    assert ids[0].startswith(b"Message-ID: <7.1.")
    assert ids[0].endswith(b"@example.com>")


def test_the_envelope_names_the_sender_for_returned_mail(sink: SmtpSink, smtp: SmtpTransport) -> None:
    post(smtp, 1)
    assert sink.kept[0].sender == "news@example.com"


def test_the_connection_is_kept_and_opened_anew_when_it_has_died(sink: SmtpSink, smtp: SmtpTransport) -> None:
    post(smtp, 2)
    post(smtp, 2)
    assert sink.connections == 1
    smtp._idle[0].hang_up()
    assert isinstance(post(smtp, 2), Accepted)
    assert sink.connections == 2


@pytest.mark.parametrize("stage", ["rcpt", "data", "text"])
def test_a_reader_who_is_refused_for_good_is_set_aside_with_the_servers_words(
    stage: str, sink: SmtpSink, smtp: SmtpTransport
) -> None:
    sink.script = for_recipient(stage, "reader2@example.com", "550 5.1.1 no such user")

    outcome = divided(post(smtp, 4))

    assert outcome.accepted == {0, 2, 3}
    assert outcome.refused == {1: "550 5.1.1 no such user"}
    assert outcome.reason is None
    assert len(sink.kept) == 3


@pytest.mark.parametrize("stage", ["rcpt", "text"])
def test_a_reader_who_is_put_off_waits_and_the_others_get_theirs(
    stage: str, sink: SmtpSink, smtp: SmtpTransport
) -> None:
    sink.script = for_recipient(stage, "reader2@example.com", "451 4.7.1 greylisted")

    outcome = divided(post(smtp, 3))

    assert (outcome.accepted, outcome.put_off) == ({0, 2}, {1: "451 4.7.1 greylisted"})


def test_a_server_that_wants_a_text_for_nobody_gets_an_empty_one(sink: SmtpSink, smtp: SmtpTransport) -> None:
    """RFC 2920 §3.1: some answer 354 to a pipelined DATA although they refused the recipient."""
    sink.asks_for_nobody = True
    sink.script = for_recipient("rcpt", "reader2@example.com", "550 5.1.1 no such user")

    outcome = divided(post(smtp, 3))

    assert (outcome.accepted, set(outcome.refused)) == ({0, 2}, {1})


@pytest.mark.parametrize("answer", [CLOSE, ACCEPT_THEN_CLOSE, "399 what", "600 what"])
def test_a_connection_cut_after_k_messages_leaves_one_in_doubt_and_the_others_go_on(
    answer: str, sink: SmtpSink, smtp: SmtpTransport
) -> None:
    sink.script = at("text", 4, answer)

    outcome = divided(post(smtp, 10))

    assert outcome.accepted == {0, 1, 2, 3, 5, 6, 7, 8, 9}
    assert outcome.unknown == {4}
    assert sink.connections == 2


def test_a_server_that_hangs_up_after_every_other_message_leaves_three_in_doubt_and_no_more(
    sink: SmtpSink, smtp: SmtpTransport
) -> None:
    messages = [0]

    def every_other(stage: str, _number: int, _recipient: str) -> str:
        messages[0] += stage == "data"
        return CLOSE if stage == "text" and messages[0] % 2 == 0 else ""

    sink.script = every_other

    outcome = divided(post(smtp, 100))

    assert (outcome.accepted, outcome.unknown) == ({0, 2, 4}, {1, 3, 5})
    assert outcome.reason is Reason.NOT_SENT


def test_a_server_that_takes_no_message_whole_is_tried_once(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = lambda stage, _number, _recipient: CLOSE if stage == "text" else ""

    outcome = divided(post(smtp, 10))

    assert (outcome.unknown, len(outcome.not_tried), sink.connections) == ({0}, 9, 1)


@pytest.mark.parametrize("answer", ["451 4.7.1 greylisted", "450 4.2.0 greylisted", "451 come back in 300 s"])
def test_a_server_that_greylists_everybody_puts_off_each_reader_and_no_more(
    answer: str, sink: SmtpSink, smtp: SmtpTransport
) -> None:
    known = {f"reader{number}@example.com" for number in range(41, 51)}
    sink.script = lambda stage, _accepted, whom: answer if stage == "rcpt" and whom not in known else ""

    outcome = divided(post(smtp, 50))

    assert outcome.put_off == dict.fromkeys(range(40), answer)
    assert outcome.accepted == set(range(40, 50))
    assert outcome.reason is None


def test_a_mailbox_that_does_not_exist_is_told_from_other_refusals(sink: SmtpSink, smtp: SmtpTransport) -> None:
    answers = {
        "reader1@example.com": "550 5.1.1 no such user",
        "reader2@example.com": "550 5.1.10 null MX",
        "reader3@example.com": "550 5.2.1 closed for now",
        "reader4@example.com": "550 5.1.12 what?",
    }
    sink.script = lambda stage, _accepted, whom: answers.get(whom, "") if stage == "rcpt" else ""

    outcome = divided(post(smtp, 6))

    assert set(outcome.refused) == {0, 1, 2, 3}
    assert outcome.no_mailbox == {0, 1}


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
def test_a_server_that_ends_a_connection_between_messages_gets_the_others_over_a_new_one(
    stage: str, sink: SmtpSink, smtp: SmtpTransport
) -> None:
    sink.script = at(stage, 4, CLOSE)

    assert isinstance(post(smtp, 10), Accepted)
    assert sink.connections == 2
    assert sorted(sink.addresses()) == sorted({f"reader{number}@example.com" for number in range(1, 11)})


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "text"])
def test_421_midway_is_no_doubt_and_goes_on_over_a_new_connection(
    stage: str, sink: SmtpSink, smtp: SmtpTransport
) -> None:
    sink.script = at(stage, 3, "421 4.3.2 shutting down")

    outcome = post(smtp, 6)

    assert isinstance(outcome, Accepted)
    assert len(sink.kept) == 6


def test_421_to_every_message_is_tried_later(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = at("mail", 0, "421 4.3.2 shutting down", times=9)

    outcome = post(smtp, 3)

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.NOT_SENT
    assert sink.connections == 1


@pytest.mark.parametrize(
    ("stage", "answer", "times", "reason"),
    [
        ("mail", "550 5.7.1 sender not allowed", 1, Reason.NOT_ALLOWED),
        ("mail", "451 4.3.0 queue full", 1, Reason.TOO_MANY),
        ("rcpt", "554 5.7.1 relay access denied", 99, Reason.NOT_ACCEPTABLE),
        ("text", "554 5.7.1 spam", 99, Reason.NOT_ACCEPTABLE),
        ("rcpt", "451 4.3.0 try later", 99, Reason.TOO_MANY),
    ],
)
def test_what_is_not_about_a_reader_fails_nobody_and_stops(
    stage: str, answer: str, times: int, reason: Reason, sink: SmtpSink, smtp: SmtpTransport
) -> None:
    sink.script = at(stage, 0, answer, times=times)
    recipients = [make_recipient(number, email=f"reader@example{number}.com") for number in range(30)]

    outcome = smtp.post(encode(smtp, recipients))

    assert isinstance(outcome, Refused)
    assert outcome.reason is reason
    assert answer in outcome.message
    assert sink.kept == []


def test_many_dead_mailboxes_in_a_row_are_about_their_readers(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = at("rcpt", 0, "550 5.1.1 no such user", times=40)

    outcome = divided(post(smtp, 42))

    assert len(outcome.refused) == 40
    assert outcome.accepted == {40, 41}


def test_a_server_that_closes_in_the_middle_of_a_text_has_not_taken_it(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = at("half", 1, CLOSE, times=2)
    recipients = make_recipients(3)

    outcome = smtp.post(encode(smtp, recipients, html="<p>" + "x" * 30_000_000))

    assert isinstance(outcome, Partial)
    assert outcome.accepted == {0}
    assert outcome.not_tried | outcome.unknown == {1, 2}
    assert len(outcome.unknown) <= 1


def test_an_extra_reply_is_noticed_before_another_message_goes_out(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = at("text", 1, "250 queued\r\n250 queued again")

    outcome = post(smtp, 4)

    assert isinstance(outcome, Accepted)
    assert len(sink.kept) == 4
    assert len(set(sink.addresses())) == 4


def test_a_request_that_takes_too_long_leaves_the_rest_for_the_next(
    sink: SmtpSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    monkeypatch.setattr(smtp_module, "time", clock)

    def takes_ten_seconds(stage: str, _number: int, _recipient: str) -> str:
        clock.now += 10 * (stage == "text")
        return ""

    sink.script = takes_ten_seconds
    transport = SmtpTransport(server_of(sink), deadline=600.0)
    began = clock.now

    outcome = divided(post(transport, 200))

    assert clock.now - began < 600
    assert outcome.accepted
    assert outcome.not_tried
    assert not outcome.unknown
    assert outcome.retry_after == 0.0
    transport.close()


def test_a_server_that_says_nothing_is_hung_up_on_in_time(sink: SmtpSink) -> None:
    sink.script = lambda stage, _number, _recipient: HANG if stage == "greeting" else ""
    transport = SmtpTransport(server_of(sink), deadline=0.9)
    began = time.monotonic()

    outcome = post(transport, 2)

    assert isinstance(outcome, Refused)
    assert time.monotonic() - began < LONG / 2, "the server would have waited longer"


def test_something_unexpected_is_a_doubt_and_no_exception(
    sink: SmtpSink, smtp: SmtpTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> Script:
        raise RuntimeError("surprise")

    monkeypatch.setattr(smtp_module.Posting, "deliver", broken)
    assert isinstance(post(smtp, 2), Unknown)


def test_an_international_domain_goes_out_in_ascii_and_other_local_parts_are_refused(
    sink: SmtpSink, smtp: SmtpTransport
) -> None:
    recipients = [make_recipient(1, email="ann@bücher.example"), make_recipient(2, email="ännchen@example.com")]

    outcome = divided(smtp.post(encode(smtp, recipients)))

    assert sink.addresses() == ["ann@xn--bcher-kva.example"]
    assert "SMTPUTF8" in outcome.refused[1]


def test_what_the_standard_library_sends_is_what_we_send(sink: SmtpSink, smtp: SmtpTransport) -> None:
    """The same bytes through smtplib, which stuffs dots itself: ours need no stuffing."""
    body = encode(smtp, make_recipients(1))
    smtp.post(body)
    raw = body.join(body.messages[0])
    with smtplib.SMTP("127.0.0.1", sink.port) as client:
        client.sendmail("news@example.com", ["reader1@example.com"], raw)
    assert sink.kept[0].message == sink.kept[1].message == raw


def test_a_header_that_is_ours_to_write_is_refused_before_anything_is_sent(smtp: SmtpTransport) -> None:
    for headers in ({"To": "all@example.com"}, {"X Y": "1"}, {"Content-Type": "text/plain"}):
        with pytest.raises(ValueError, match="not a header"):
            encode(smtp, make_recipients(1), headers=headers)


def test_a_dead_process_leaves_its_journal_and_a_living_one_keeps_it(
    sink: SmtpSink, smtp: SmtpTransport, tmp_path: Path
) -> None:
    attempt = uuid4()
    sink.script = at("text", 2, CLOSE)
    smtp.post(encode(smtp, make_recipients(5), attempt=attempt))

    assert smtp.recall(attempt) is None, "its process lives"
    path = tmp_path / "journal" / str(attempt)
    _, _, cells = path.read_bytes().partition(b"\n")
    assert cells == bytes([2, 2, 1, 2, 2])
    smtp.forget(attempt)
    assert not path.exists()
    assert smtp.recall(attempt) is None


class _TakenMeanwhile(list[Connection]):
    """Kept connections of which another thread takes the last one just after it was seen."""

    def __bool__(self) -> bool:
        return True


def test_threads_that_reach_for_the_same_kept_connection_each_have_one(sink: SmtpSink, smtp: SmtpTransport) -> None:
    smtp._idle = _TakenMeanwhile()

    outcome = post(smtp, 2)

    smtp._idle = list(smtp._idle)
    assert isinstance(outcome, Accepted)
    assert len(sink.kept) == 2
