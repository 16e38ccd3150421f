"""The first message begins no later than its fence allows, and neither a name nor a slow server keeps a request for ever."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from newsdesk.core.environment import SmtpServer
from tasks.http import first_byte
from tasks.providers.base import Accepted, Outcome, Partial, Reason, Refused
from tasks.providers.smtp import transport as transport_module
from tasks.providers.smtp.connection import NotConnectedError, connect
from tasks.providers.smtp.hanging_up import AGAIN_SECONDS, hung_up_after
from tasks.providers.smtp.transport import SmtpTransport
from tests.smtp_server import CLOSE, SmtpSink, running
from tests.tasks.providers.conftest import server_of
from tests.tasks.providers.messages import encode, make_recipients
from tests.waiting import LONG

pytestmark = pytest.mark.integration


@pytest.fixture(params=[True, False], ids=["pipelined", "step by step"])
def sink(request: pytest.FixtureRequest) -> Iterator[SmtpSink]:
    with running(SmtpSink(pipelining=request.param)) as one:
        yield one


def post(transport: SmtpTransport, number: int) -> Outcome:
    return transport.post(encode(transport, make_recipients(number)))


def test_too_late_is_surely_not_sent(sink: SmtpSink, smtp: SmtpTransport) -> None:
    with first_byte.not_after(first_byte.now() - 1):
        outcome = post(smtp, 3)

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.NOT_SENT
    assert "between fence and POST" in outcome.message
    assert not any(command.startswith("MAIL") for command in sink.commands)


class _Moments:
    """A clock that is far ahead once something has happened."""

    def __init__(self, stage: str) -> None:
        self._moment, self._stage = first_byte.now(), stage

    def now(self) -> float:
        return self._moment

    def pass_at(self, stage: str) -> str:
        self._moment += 10 * LONG * (stage == self._stage)
        return ""


def test_a_greeting_that_takes_too_long_is_within_it(
    sink: SmtpSink, smtp: SmtpTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = _Moments("helo")
    monkeypatch.setattr(first_byte, "now", moments.now)
    sink.script = lambda stage, _accepted, _recipient: moments.pass_at(stage)

    with first_byte.not_after(moments.now() + LONG):
        outcome = post(smtp, 3)

    assert isinstance(outcome, Refused)
    assert not sink.kept


def test_only_the_first_message_is_asked_for(
    sink: SmtpSink, smtp: SmtpTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others begin while there is time, over a second connection too."""
    moments = _Moments("text")
    monkeypatch.setattr(first_byte, "now", moments.now)
    cut = [CLOSE]

    def script(stage: str, accepted: int, _recipient: str) -> str:
        moments.pass_at(stage)
        return cut.pop() if stage == "rcpt" and accepted == 2 and cut else ""

    sink.script = script
    with first_byte.not_after(moments.now() + LONG):
        outcome = post(smtp, 4)

    assert isinstance(outcome, Accepted)
    assert (len(sink.kept), sink.connections) == (4, 2)


def test_who_was_suspended_between_two_messages_sends_no_more_texts(sink: SmtpSink) -> None:
    """The envelope stood ready before; the batch may be another worker's by now."""
    transport = SmtpTransport(server_of(sink))
    is_over = [False]
    sink.script = lambda stage, accepted, _recipient: (
        is_over.append(True) or "" if stage == "data" and accepted == 2 else ""
    )
    body = encode(transport, make_recipients(6))
    outcome = _posted(transport, body, may_go_on=lambda: len(is_over) == 1)
    transport.close()

    assert isinstance(outcome, Partial)
    assert (len(outcome.accepted), len(outcome.not_tried), outcome.unknown) == (2, 4, frozenset())
    assert len(sink.kept) == 2


def test_a_request_whose_time_ends_with_its_last_message_was_not_cut_short(sink: SmtpSink) -> None:
    transport = SmtpTransport(server_of(sink))
    is_over: list[bool] = []

    def script(stage: str, accepted: int, recipient: str) -> str:
        if stage == "text" and accepted == 2:
            is_over.append(True)
        return "550 5.1.1 no such user" if (stage, recipient) == ("rcpt", "reader1@example.com") else ""

    sink.script = script
    outcome = _posted(transport, encode(transport, make_recipients(4)), may_go_on=lambda: not is_over)
    transport.close()

    assert is_over
    assert isinstance(outcome, Partial)
    assert (len(outcome.accepted), set(outcome.refused), outcome.reason) == (3, {0}, None)


def test_a_request_without_any_time_left_is_not_begun_and_tried_again_at_once(sink: SmtpSink) -> None:
    transport = SmtpTransport(server_of(sink))
    outcome = _posted(transport, encode(transport, make_recipients(4)), may_go_on=lambda: False)
    transport.close()

    assert isinstance(outcome, Refused)
    assert (outcome.reason, outcome.retry_after) == (Reason.NOT_SENT, 0.0)
    assert outcome.message == "The time for one request was over."
    assert not any(command.startswith("MAIL") for command in sink.commands)


def _posted(transport: SmtpTransport, body: Any, *, may_go_on: Any) -> Outcome:
    with pytest.MonkeyPatch.context() as patch:
        original = transport_module.Posting
        patch.setattr(
            transport_module, "Posting", lambda *args, **kwargs: original(*args, **{**kwargs, "may_go_on": may_go_on})
        )
        return transport.post(body)


def test_a_resolver_that_does_not_answer_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hang(*_args: Any, **_kwargs: Any) -> Any:
        released.wait(LONG)
        raise OSError("too late")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    began = time.monotonic()
    with pytest.raises(NotConnectedError, match="was not resolved within") as caught:
        connect(SmtpServer(host="mail.example.com", port=25, security="plain"), helo="", context=None, timeout=0.2)
    released.set()

    assert caught.value.reason is Reason.NOT_SENT
    assert time.monotonic() - began < LONG / 2


def test_the_next_address_is_tried_and_the_certificate_is_still_the_names(
    sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.http.names.addresses", lambda *_args, **_kwargs: ["127.0.0.254:0", "127.0.0.1"])
    server = SmtpServer(host="mail.example.com", port=sink.port, security="plain")

    connection = connect(server, helo="", context=None)

    assert connection.is_alive()
    connection.close()


def test_what_has_no_socket_yet_is_hung_up_on_again_and_again() -> None:
    """It was connecting when its time was over: one try would have found nothing, and no other would come."""
    tries: list[float] = []
    enough = threading.Event()

    def hang_up() -> None:
        tries.append(time.monotonic())
        if len(tries) == 3:
            enough.set()

    with hung_up_after(0.0, hang_up):
        assert enough.wait(LONG)
    after = len(tries)
    time.sleep(2 * AGAIN_SECONDS)

    assert len(tries) <= after + 1
