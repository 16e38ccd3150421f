"""A request whose time is over before its body has begun is surely not sent; one that is suspended in the middle is not made whole."""

import socket
import threading
from typing import Any

import pytest

from sandbox.server import Sandbox
from tasks.http import deadline, first_byte, names
from tasks.models import Attempt, Batch
from tasks.providers.base import Reason, Refused, Unknown
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.submission import posting
from tests.factories import make_prepared_send
from tests.socket_server import serving
from tests.tasks.submission.batches import submit
from tests.waiting import LONG


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Whoever resolves a name finds the clock so much later afterwards, as after a suspension."""
    resolve, now, asleep = names.addresses, first_byte.now, [0.0]

    def slow(*args: Any, **kwargs: Any) -> list[str]:
        asleep[0] = seconds
        return resolve(*args, **kwargs)

    monkeypatch.setattr(names, "addresses", slow)
    monkeypatch.setattr(first_byte, "now", lambda: now() + asleep[0])


@pytest.mark.django_db
def test_a_worker_frozen_while_it_connects_posts_nothing_when_it_wakes(
    sandbox: Sandbox, transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = make_prepared_send(2)
    later(monkeypatch, posting.FENCE_SECONDS + 1)

    assert submit(send, transport).status == Batch.Status.PENDING

    assert sandbox.ledger.counts()["requests"] == 0
    assert Attempt.objects.get().outcome == "refused"


def test_a_request_that_connects_beyond_its_deadline_is_not_sent(
    sandbox: Sandbox, transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(monkeypatch, LONG + 1)

    outcome = transport.post(b"{}")

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.NOT_SENT


def test_a_name_that_nobody_resolves_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(deadline, "CONNECT_TIMEOUT", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(LONG) and [])

    outcome = SendGridTransport(api_key="SG.test", host="http://nobody.invalid").post(b"{}")

    over.set()
    assert isinstance(outcome, Refused)
    assert "not resolved within" in outcome.message


def test_a_name_with_several_addresses_is_tried_one_after_the_other(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "addresses", lambda *_, **__: ["127.0.0.2", "127.0.0.1"])

    outcome = SendGridTransport(api_key="SG.test", host=sandbox.url.replace("127.0.0.1", "localhost")).post(b"{}")

    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.BAD_REQUEST, "the second one answered"


def test_what_is_suspended_in_the_middle_of_its_body_is_not_made_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    received, ended = bytearray(), threading.Event()

    def read_all(connection: socket.socket) -> None:
        with connection:
            while piece := connection.recv(1 << 16):
                received.extend(piece)
        ended.set()

    pieces = deadline._pieces
    now, asleep = first_byte.now, [0.0]

    def suspended(data: Any) -> Any:
        for number, piece in enumerate(pieces(data)):
            asleep[0] = 100.0 * number
            yield piece

    monkeypatch.setattr(deadline, "_pieces", suspended)
    monkeypatch.setattr(first_byte, "now", lambda: now() + asleep[0])
    body = b"x" * (3 * deadline._PIECE)
    with serving(read_all) as port:
        outcome = SendGridTransport(api_key="SG.test", host=f"http://127.0.0.1:{port}").post(body)
        assert isinstance(outcome, Unknown)
        assert ended.wait(LONG)
    assert deadline._PIECE <= received.count(b"x") < 2 * deadline._PIECE


def test_the_watchdog_tries_again_when_it_found_no_socket_yet() -> None:
    """The request may still have been connecting: it hangs up on what comes of that."""
    connection = deadline.pool_manager().connection_from_url("http://127.0.0.1:9")._get_conn()
    connection._alarms = alarms = []
    connection._hang_up(alarms)
    ours, theirs = socket.socketpair()
    connection.sock = ours

    theirs.settimeout(LONG)
    assert theirs.recv(1) == b""

    connection._stop_alarm()
    theirs.close()
    connection.close()
