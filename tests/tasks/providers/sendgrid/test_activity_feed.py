"""What SendGrid's activity feed is asked, and what its answers mean, with the sandbox and with a server that says anything."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID, uuid4

import orjson
import pytest

from sandbox.server import Sandbox
from tasks.messages import Message, Recipient
from tasks.providers.base import (
    Accepted,
    ActivityAnswer,
    ActivityQuestion,
    ActivityUnavailableError,
    NoActivityError,
)
from tasks.providers.sendgrid.activity import MOST, SendGridActivity
from tasks.providers.sendgrid.transport import SendGridTransport
from tests.waiting import LONG

pytestmark = pytest.mark.integration
OURS, THEIRS = str(uuid4()), str(uuid4())


def question(attempt: UUID, *addresses: str, **fields: Any) -> ActivityQuestion:
    begun_at = datetime.now(UTC) - timedelta(minutes=5)
    return ActivityQuestion(attempt=attempt, addresses=addresses, begun_at=begun_at, **fields)


def ask(transport: SendGridTransport, *questions: ActivityQuestion, **fields: Any) -> ActivityAnswer:
    given = {"others": (), "installation": OURS, "requests": 3} | fields
    return SendGridActivity().ask(transport, questions, **given)


# With the sandbox


@pytest.fixture
def send(transport: SendGridTransport) -> Callable[..., str]:
    """POST one request with these recipients; what SendGrid calls it."""

    def post(attempt: UUID, *addresses: str, installation: str = OURS) -> str:
        message = Message(
            from_email="news@example.com",
            from_name="",
            reply_to="",
            subject="The week",
            html="<p>Hello</p>",
            text="Hello",
            installation=installation,
        )
        recipients = [Recipient(email=each, name="", delivery="1.1", substitutions={}) for each in addresses]
        outcome = transport.post(transport.encode(message, recipients, attempt=attempt))
        assert isinstance(outcome, Accepted)
        return outcome.provider_id

    return post


def test_a_message_of_the_attempt_is_found_and_one_that_never_was_is_absent(
    transport: SendGridTransport, send: Callable[..., str]
) -> None:
    accepted, refused = uuid4(), uuid4()
    send(accepted, "a@example.com", "B@example.com")

    answer = ask(transport, question(accepted, "x@example.com", "b@EXAMPLE.com"), question(refused, "c@example.com"))

    assert answer == ({accepted}, {refused})


def test_the_same_address_twice_tells_the_two_requests_apart(
    transport: SendGridTransport, send: Callable[..., str]
) -> None:
    first, second, third = uuid4(), uuid4(), uuid4()
    send(first, "a@example.com")
    send(second, "a@example.com")

    questions = [question(attempt, "a@example.com") for attempt in (first, second, third)]

    assert ask(transport, *questions) == ({first, second}, {third})


def test_an_address_with_quotes_asks_for_nothing_else(transport: SendGridTransport, send: Callable[..., str]) -> None:
    attempt, odd = uuid4(), 'a"OR"@example.com'
    send(attempt, "a@example.com")

    assert ask(transport, question(attempt, odd)) == (set(), {attempt})


def test_what_another_installation_sent_proves_nothing_at_all(
    transport: SendGridTransport, send: Callable[..., str]
) -> None:
    attempt = uuid4()
    send(attempt, "a@example.com", installation=THEIRS)

    assert ask(transport, question(attempt, "a@example.com")) == (set(), set())


def test_a_request_whose_id_is_known_is_found_without_a_further_question(
    transport: SendGridTransport, sandbox: Sandbox, send: Callable[..., str]
) -> None:
    known, doubtful, gone = uuid4(), uuid4(), uuid4()
    provider_id = send(known, "a@example.com")

    answer = ask(
        transport,
        question(doubtful, "a@example.com"),
        question(known, "a@example.com", provider_id=provider_id),
        question(gone, "a@example.com", provider_id="never"),
    )

    assert answer == ({known}, {doubtful})
    assert len(sandbox._state._activity_asked) == 1


def test_the_mails_of_other_requests_need_no_reading(
    transport: SendGridTransport, sandbox: Sandbox, send: Callable[..., str]
) -> None:
    others = [send(uuid4(), "a@example.com") for _ in range(4)]
    doubtful = uuid4()

    assert ask(transport, question(doubtful, "a@example.com"), others=others) == (set(), {doubtful})
    assert len(sandbox._state._activity_asked) == 1


def test_no_more_requests_than_allowed_and_what_is_unread_is_undecided(
    transport: SendGridTransport, sandbox: Sandbox, send: Callable[..., str]
) -> None:
    attempts = [uuid4() for _ in range(4)]
    for number, attempt in enumerate(attempts):
        send(attempt, f"reader{number}@example.com")

    answer = ask(transport, *(question(each, f"reader{number}@example.com") for number, each in enumerate(attempts)))

    assert answer == (set(attempts[:2]), set())
    assert len(sandbox._state._activity_asked) == 3


def test_a_message_that_the_feed_does_not_know_yet_looks_absent(
    transport: SendGridTransport, sandbox: Sandbox, send: Callable[..., str]
) -> None:
    """Hence later requests are asked for beside it: they are unknown then as well."""
    doubtful, later = uuid4(), uuid4()
    send(doubtful, "a@example.com")
    provider_id = send(later, "b@example.com")
    sandbox.change_activity(lag=3600.0)

    answer = ask(
        transport, question(doubtful, "a@example.com"), question(later, "b@example.com", provider_id=provider_id)
    )

    assert answer == (set(), {doubtful})


def test_an_account_without_the_feed(transport: SendGridTransport, sandbox: Sandbox) -> None:
    sandbox.change_activity(available=False)

    with pytest.raises(NoActivityError, match=r"HTTP 403: .*access forbidden"):
        ask(transport, question(uuid4(), "a@example.com"))


def test_a_feed_that_is_asked_too_often_concludes_nothing(transport: SendGridTransport, sandbox: Sandbox) -> None:
    sandbox.change_activity(per_minute=1)
    ask(transport, question(uuid4(), "a@example.com"))

    with pytest.raises(ActivityUnavailableError, match="HTTP 429") as caught:
        ask(transport, question(uuid4(), "a@example.com"))

    assert not isinstance(caught.value, NoActivityError)


def test_too_often_in_the_middle_leaves_what_is_unread_undecided(
    transport: SendGridTransport, sandbox: Sandbox, send: Callable[..., str]
) -> None:
    accepted, refused = uuid4(), uuid4()
    send(accepted, "a@example.com")
    sandbox.change_activity(per_minute=1)

    answer = ask(transport, question(accepted, "a@example.com"), question(refused, "c@example.com"))

    assert answer == (set(), {refused})


def test_a_feed_that_is_away(transport: SendGridTransport) -> None:
    away = SendGridTransport(api_key="SG.x", host="http://127.0.0.1:1")

    with pytest.raises(ActivityUnavailableError):
        ask(away, question(uuid4(), "a@example.com"))


# With a server that says anything


class Feed:
    """Answers the list with `messages` and each message with `arguments`, unless `answer` is set."""

    def __init__(self) -> None:
        self.messages: Any = []
        self.arguments: Any = "{}"
        #: (status, body) of every answer.
        self.answer: tuple[int, bytes] | None = None
        self.queries: list[str] = []


@pytest.fixture
def feed() -> Iterator[Feed]:
    said = Feed()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            said.queries.append(parse_qs(parts.query).get("query", [unquote(parts.path)])[0])
            listed = {"messages": said.messages} if parts.query else {"unique_args": said.arguments}
            status, body = said.answer or (200, orjson.dumps(listed))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    said.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
    yield said
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def odd(feed: Any) -> SendGridTransport:
    return SendGridTransport(api_key="SG.x", host=feed.url, deadline=LONG, question_deadline=LONG)


def message(id_: str = "abc.1", to: str = "a@example.com") -> dict[str, Any]:
    return {"msg_id": id_, "to_email": to}


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"messages": null}'),
        (200, b'{"messages": ["abc"]}'),
        (200, b'{"messages": [{"msg_id": "abc"}]}'),
        (202, b'{"messages": []}'),
        (302, b""),
        (400, b'{"errors":[{"message":"invalid syntax"}]}'),
        (500, b""),
        (502, b"<html>"),
    ],
)
def test_an_answer_that_is_none_concludes_nothing(
    odd: SendGridTransport, feed: Feed, answer: tuple[int, bytes]
) -> None:
    feed.answer = answer

    with pytest.raises(ActivityUnavailableError) as caught:
        ask(odd, question(uuid4(), "a@example.com"))

    assert not isinstance(caught.value, NoActivityError)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_statuses_that_say_that_there_is_no_feed(odd: SendGridTransport, feed: Feed, status: int) -> None:
    feed.answer = (status, b'{"errors":[{"message":"no feed for a.reader@example.com"}]}')

    with pytest.raises(NoActivityError) as caught:
        ask(odd, question(uuid4(), "a@example.com"))

    assert "a.reader" not in str(caught.value), "an address is nothing for a log"


@pytest.mark.parametrize(
    "arguments",
    ["{'nd_attempt': 'x'}", "", "{}", "[]", "null", None, 7, {}],
)
def test_arguments_that_cannot_be_read_may_be_anybodys(odd: SendGridTransport, feed: Feed, arguments: Any) -> None:
    feed.messages, feed.arguments = [message()], arguments

    assert ask(odd, question(uuid4(), "a@example.com")) == (set(), set())


@pytest.mark.parametrize("as_text", [True, False])
def test_arguments_as_text_or_as_an_object(odd: SendGridTransport, feed: Feed, as_text: bool) -> None:
    ours, other = uuid4(), uuid4()
    given = {"nd_attempt": str(ours).upper(), "nd_installation": OURS}
    feed.messages, feed.arguments = [message()], orjson.dumps(given).decode() if as_text else given

    answer = ask(odd, question(ours, "a@example.com"), question(other, "a@example.com"))

    assert answer == ({ours}, {other})


def test_another_applications_message_is_none_of_ours(odd: SendGridTransport, feed: Feed) -> None:
    attempt = uuid4()
    feed.messages, feed.arguments = [message()], '{"order": "7"}'

    assert ask(odd, question(attempt, "a@example.com")) == (set(), {attempt})


def test_a_list_that_is_full_may_lack_the_message(odd: SendGridTransport, feed: Feed) -> None:
    attempt = uuid4()
    feed.messages = [message(f"other.{number}") for number in range(MOST)]

    assert ask(odd, question(attempt, "a@example.com"), others={"other"}) == (set(), set())
    feed.messages.pop()
    assert ask(odd, question(attempt, "a@example.com"), others={"other"}) == (set(), {attempt})


def test_a_message_to_an_address_written_otherwise_may_be_anybodys(odd: SendGridTransport, feed: Feed) -> None:
    feed.messages, feed.arguments = [message(to="A <a@example.com>")], '{"nd_attempt": ""}'
    attempt = uuid4()

    assert ask(odd, question(attempt, "a@example.com"), requests=1) == (set(), set())
    assert ask(odd, question(attempt, "a@example.com"), requests=2) == (set(), {attempt})


@pytest.mark.parametrize("id_", ["../scopes", "a/b", "", "a" * 201, "a b"])
def test_an_id_that_is_none_is_never_asked_for(odd: SendGridTransport, feed: Feed, id_: str) -> None:
    feed.messages = [message(id_)]

    assert ask(odd, question(uuid4(), "a@example.com")) == (set(), set())
    assert len(feed.queries) == 1


def test_the_query_is_the_vendors(odd: SendGridTransport, feed: Feed) -> None:
    begun = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    early = ActivityQuestion(attempt=uuid4(), addresses=("b@example.com", "a@example.com"), begun_at=begun)

    ask(odd, question(uuid4(), "a@example.com"), early)

    (query,) = feed.queries
    assert query.startswith(
        '(to_email="a@example.com" OR to_email="b@example.com") AND last_event_time BETWEEN '
        'TIMESTAMP "2026-02-28T08:00:00Z" AND TIMESTAMP "'
    )
