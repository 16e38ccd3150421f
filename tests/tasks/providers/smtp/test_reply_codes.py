"""What the numbers of a server's replies mean, up to their edges; and how many in a row are about us (RFC 5321 §4.2)."""

from collections.abc import Iterator

import pytest

from tasks.providers.base import Accepted, Partial, Reason, Refused
from tasks.providers.smtp.transport import SmtpTransport
from tests.smtp_server import CLOSE, SmtpSink, running
from tests.tasks.providers.messages import encode, make_recipient
from tests.tasks.providers.smtp.test_smtp import at, divided, for_recipient, post

pytestmark = pytest.mark.integration

SECOND = "reader2@example.com"


@pytest.fixture(params=[True, False], ids=["pipelined", "step by step"])
def sink(request: pytest.FixtureRequest) -> Iterator[SmtpSink]:
    with running(SmtpSink(pipelining=request.param)) as one:
        yield one


@pytest.mark.parametrize("answer", ["251 will forward", "252 cannot say, will try"])
def test_a_reader_whom_it_forwards_or_does_not_know_for_sure_gets_theirs(
    answer: str, sink: SmtpSink, smtp: SmtpTransport
) -> None:
    sink.script = for_recipient("rcpt", SECOND, answer)

    assert isinstance(post(smtp, 3), Accepted)
    assert SECOND in sink.addresses()


@pytest.mark.parametrize("stage", ["rcpt", "data", "text"])
@pytest.mark.parametrize("answer", ["400 4.0.0 later", "499 4.0.0 later", "500 5.0.0 never", "599 5.0.0 never"])
def test_every_code_from_400_is_a_no_for_now_and_from_500_for_good(
    answer: str, stage: str, sink: SmtpSink, smtp: SmtpTransport
) -> None:
    sink.script = for_recipient(stage, SECOND, answer)

    outcome = divided(post(smtp, 3))

    assert outcome.accepted == {0, 2}
    assert (outcome.put_off if answer[0] == "4" else outcome.refused) == {1: answer}
    assert (len(sink.kept), sink.connections) == (2, 1)


def test_after_a_no_the_sender_is_taken_back_so_that_the_next_may_be_named(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = for_recipient("rcpt", SECOND, "550 5.1.1 no such user")

    post(smtp, 3)

    asked = [command for command in sink.commands if command.startswith("RCPT")]
    after = sink.commands[sink.commands.index(asked[1]) + 1 :]
    assert after[after[0] == "DATA"] == "RSET"
    assert "." not in after


@pytest.mark.parametrize("stage", ["rcpt", "data"])
def test_a_code_that_means_nothing_here_puts_its_reader_off_and_the_others_get_theirs(
    stage: str, sink: SmtpSink, smtp: SmtpTransport
) -> None:
    sink.script = for_recipient(stage, SECOND, "399 what")

    outcome = divided(post(smtp, 4))

    assert (outcome.accepted, set(outcome.put_off)) == ({0, 2, 3}, {1})


@pytest.mark.parametrize("stage", ["rcpt", "data"])
def test_a_code_that_does_not_exist_refuses_nobody_for_good(stage: str, sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = for_recipient(stage, SECOND, "600 what")

    assert not divided(post(smtp, 3)).refused


@pytest.mark.parametrize("answer", ["550 5.1.1 no such user", "554 5.7.1 spam", "500 what"])
def test_a_text_that_is_refused_three_times_in_a_row_is_not_sent_a_fourth_time(
    answer: str, sink: SmtpSink, smtp: SmtpTransport
) -> None:
    """Whatever it says: the readers were taken, and the text is the same for all."""
    sink.script = at("text", 1, answer, times=99)

    outcome = divided(post(smtp, 30))

    assert (outcome.accepted, outcome.refused, len(outcome.not_tried)) == ({0}, {}, 29)
    assert (outcome.reason, outcome.no_mailbox) == (Reason.NOT_ACCEPTABLE, frozenset())
    assert outcome.message == f"3 messages in a row were refused; the last time: {answer}"
    assert sink.commands.count("DATA") <= 1 + 3 + 1, "one envelope may be ahead"


def test_a_mailbox_that_a_server_misses_only_after_the_text_is_not_believed_gone(
    sink: SmtpSink, smtp: SmtpTransport
) -> None:
    sink.script = for_recipient("text", SECOND, "550 5.1.1 no such user")

    outcome = divided(post(smtp, 3))

    assert (set(outcome.refused), outcome.no_mailbox) == ({1}, frozenset())


def test_twenty_readers_refused_for_what_is_ours_end_the_request(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = at("rcpt", 1, "500 5.7.1 not you", times=19)
    outcome = post(smtp, 30)
    assert isinstance(outcome, Partial)
    assert (len(outcome.refused), len(outcome.accepted)) == (19, 11)

    sink.script = at("rcpt", len(sink.kept), "500 5.7.1 not you", times=20)
    outcome = post(smtp, 30)
    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.NOT_ACCEPTABLE
    assert outcome.message.startswith("20 messages in a row")


def test_ten_closings_in_a_row_are_the_servers_doing_and_nine_are_not(sink: SmtpSink, smtp: SmtpTransport) -> None:
    recipients = [make_recipient(number, email=f"reader@example{number}.com") for number in range(30)]
    sink.script = at("rcpt", 0, "421 4.3.2 closing", times=10)
    outcome = smtp.post(encode(smtp, recipients))
    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.NOT_SENT
    assert (sink.connections, sink.kept) == (10, [])

    nine = at("rcpt", 0, "421 4.3.2 closing", times=9)
    nine_again = at("rcpt", 5, "421 4.3.2 closing", times=9)
    sink.script = lambda *where: nine(*where) or nine_again(*where)
    assert not divided(smtp.post(encode(smtp, recipients))).not_tried


def test_an_operator_reads_how_often_it_closed_where_all_readers_are_at_one_domain(
    sink: SmtpSink, smtp: SmtpTransport
) -> None:
    sink.script = at("rcpt", 0, "421 4.2.1 busy", times=10)

    outcome = post(smtp, 30)

    assert isinstance(outcome, Partial | Refused)
    assert outcome.message == "10 messages in a row were refused; the last time: 421 4.2.1 busy"


@pytest.mark.parametrize("answer", ["550 5.1.1 no such user", "450 4.2.1 later"])
def test_a_cut_connection_is_gone_on_with_after_one_reader_was_taken_and_one_was_not(
    answer: str, sink: SmtpSink, smtp: SmtpTransport
) -> None:
    """Both are progress: a server that answers is not away."""
    cut = at("text", 1, CLOSE)
    sink.script = lambda where, accepted, whom: (
        answer if (where, whom) == ("rcpt", SECOND) else cut(where, accepted, whom)
    )

    outcome = divided(post(smtp, 6))

    assert (outcome.accepted, outcome.unknown, outcome.not_tried) == ({0, 3, 4, 5}, {2}, frozenset())
