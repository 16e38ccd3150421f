"""A server, or what stands before it, that hangs up at one reader, or says nothing: the others get their mails."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tasks.providers.base import Accepted, Partial, Reason, Refused
from tasks.providers.smtp.connection import _PIECE, Connection, NotHandedOverError
from tasks.providers.smtp.transport import SmtpTransport
from tests.smtp_server import CLOSE, HANG, SmtpSink, running
from tests.tasks.providers.conftest import server_of
from tests.tasks.providers.smtp.test_smtp import at, divided, post

pytestmark = pytest.mark.integration


@pytest.fixture(params=[True, False], ids=["pipelined", "step by step"])
def sink(request: pytest.FixtureRequest) -> Iterator[SmtpSink]:
    with running(SmtpSink(pipelining=request.param)) as one:
        yield one


def for_readers(answer: str, *numbers: int) -> Callable[[str, int, str], str]:
    whom = {f"reader{number}@example.com" for number in numbers}
    return lambda where, _accepted, recipient: answer if where == "rcpt" and recipient in whom else ""


@pytest.mark.parametrize("number", [1, 3, 6])
def test_who_makes_it_hang_up_is_put_off_and_the_others_get_theirs(
    number: int, sink: SmtpSink, smtp: SmtpTransport
) -> None:
    sink.script = for_readers(CLOSE, number)

    outcome = divided(post(smtp, 6))

    assert (len(outcome.accepted), set(outcome.put_off), outcome.not_tried) == (5, {number - 1}, frozenset())
    assert "closed the connection" in outcome.put_off[number - 1]
    assert len(sink.kept) == 5


@pytest.mark.parametrize("again", ["550 5.1.1 nobody", "450 4.2.0 later", CLOSE, ""])
@pytest.mark.parametrize("stage", ["rcpt", "text"])
def test_whatever_becomes_of_them_when_they_are_tried_again_they_are_in_one_group(
    stage: str, again: str, sink: SmtpSink, smtp: SmtpTransport
) -> None:
    closed: list[str] = []

    def script(where: str, _accepted: int, recipient: str) -> str:
        if recipient != "reader2@example.com":
            return ""
        if where == "rcpt" and not closed:
            closed.append(recipient)
            return CLOSE
        return again if where == stage else ""

    sink.script = script

    outcome = post(smtp, 4)

    if not again:
        assert isinstance(outcome, Accepted)
        return
    groups = divided(outcome)
    assert groups.accepted == {0, 2, 3}
    assert (1 in groups.unknown) is (again == CLOSE and stage == "text")
    assert (1 in groups.refused) is again.startswith("5")


@pytest.mark.parametrize("said", ["550 5.7.1 not you", "450 4.7.1 not now"])
def test_a_no_that_ends_with_the_connection_is_a_no(said: str, smtp: SmtpTransport, sink: SmtpSink) -> None:
    """It hangs up instead of answering RSET, each time."""

    def script(where: str, _accepted: int, recipient: str) -> str:
        if where == "rset":
            return CLOSE
        return said if (where, recipient) == ("rcpt", "reader1@example.com") else ""

    sink.script = script

    outcome = divided(post(smtp, 4))

    assert outcome.accepted == {1, 2, 3}
    assert (0 in outcome.refused, 0 in outcome.put_off) == (said[0] == "5", said[0] == "4")


def test_neighbours_of_one_kind_do_not_look_like_a_server_that_is_away(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = for_readers(CLOSE, 1, 2, 3, 4)

    outcome = divided(post(smtp, 9))

    assert (len(outcome.accepted), set(outcome.put_off)) == (5, {0, 1, 2, 3})
    assert outcome.hung_up_at == {0, 1, 2, 3}


def test_two_of_them(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = for_readers(CLOSE, 1, 2)

    outcome = divided(post(smtp, 5))

    assert (len(outcome.accepted), set(outcome.put_off)) == (3, {0, 1})


def test_a_single_one_is_put_off_too(sink: SmtpSink, smtp: SmtpTransport) -> None:
    """Else the batch of those who were put off would be tried for ever."""
    sink.script = for_readers(CLOSE, 1)

    outcome = divided(post(smtp, 1))

    assert set(outcome.put_off) == {0}


def test_who_was_there_when_it_hung_up_by_chance_gets_theirs_in_the_same_request(
    sink: SmtpSink, smtp: SmtpTransport
) -> None:
    sink.script = at("rcpt", 2, CLOSE)

    assert isinstance(post(smtp, 5), Accepted)

    assert sorted(sink.addresses()) == [f"reader{number}@example.com" for number in range(1, 6)]


def test_a_server_that_hangs_up_at_everybody_is_to_blame_itself(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = lambda where, _accepted, _recipient: CLOSE if where == "rcpt" else ""

    outcome = post(smtp, 20)

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.NOT_SENT
    assert sink.connections == 3


def test_a_server_that_begins_to_hang_up_at_everybody_blames_nobody(sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = at("rcpt", 4, CLOSE, times=99)

    outcome = divided(post(smtp, 20))

    assert (len(outcome.accepted), outcome.put_off, len(outcome.not_tried)) == (4, {}, 16)
    assert outcome.reason is Reason.NOT_SENT


def test_who_is_met_with_silence_is_put_off_when_the_time_is_over(sink: SmtpSink, tmp_path: Path) -> None:
    sink.script = for_readers(HANG, 3)
    for deadline in (3.0, 12.0, 50.0):
        transport = SmtpTransport(server_of(sink), journal=tmp_path / "journal", deadline=deadline)
        outcome = post(transport, 6)
        transport.close()
        if sink.hangs:
            break
        # The machine was too slow to come to the third reader in this time.

    assert isinstance(outcome, Partial)
    assert len(outcome.accepted) >= 2
    assert set(outcome.put_off) == {2}


def test_over_tls_no_piece_reaches_across_the_end_of_a_message() -> None:
    """It is several records, which fail as one: the message may be out though the next envelope is not."""
    pieces: list[int] = []
    whole, ahead = b"x" * (2 * _PIECE + 10), b"MAIL FROM:<>\r\n"

    class Socket:
        def send(self, data: memoryview) -> int:
            if sum(pieces) >= len(whole):
                raise ConnectionResetError("reset")
            pieces.append(len(data))
            return len(data)

    connection = Connection.__new__(Connection)
    connection._sock = Socket()  # type: ignore[assignment]
    connection._is_encrypted = True

    with pytest.raises(Exception, match="reset") as lost:
        connection.write_message(whole + ahead, len(whole))

    assert not isinstance(lost.value, NotHandedOverError)
    assert pieces == [_PIECE, _PIECE, 10]
