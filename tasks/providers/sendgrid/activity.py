"""Asking SendGrid's Email Activity Feed which messages it knows: an add-on, read with the scope email_activity.read.

GET /v3/messages?query=…&limit=… lists messages of some addresses; GET /v3/messages/{msg_id} tells what custom_args one was sent
with (unique_args, a JSON string). Six requests a minute ("Email Activity", "Getting Started with the Email Activity Feed API" and
tsg_email_activity_v3 in SendGrid's documentation). A msg_id begins with the X-Message-Id of its request, up to the first dot.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID

import orjson
import structlog
import urllib3

from tasks.http.deadline import BodyBegunError
from tasks.providers.base import ActivityAnswer, ActivityQuestion, ActivityUnavailableError, NoActivityError
from tasks.providers.sendgrid.transport import SendGridTransport

log = structlog.get_logger(__name__)

#: Messages that one answer lists at most; a list that is full may lack some.
MOST = 1000
#: Our clock and SendGrid's may differ by as much.
_CLOCKS_DIFFER = timedelta(minutes=10)
#: When a request was made is the database's word, whose clock may have been ahead by more: a message that is not listed because of that
#: would count as absent.
_LONG_BEFORE = timedelta(days=1)
#: The add-on was not bought, or the key may not read it.
_HAS_NONE = (401, 403, 404)
_ADDRESS = re.compile(r"[^\s\"'=(]+@[^\s\"')]+")
_MSG_ID = re.compile(r"[A-Za-z0-9._-]{1,200}")


class _Listed(NamedTuple):
    """The messages of the addresses that were asked for."""

    #: msg_ids by address in lower case, the newest first.
    by_address: Mapping[str, Sequence[str]]
    #: Those whose address is written otherwise than it was asked for: each may be anybody's.
    unplaced: Sequence[str]
    is_whole: bool

    def of(self, question: ActivityQuestion) -> list[str]:
        """Each message once that may be of one of its addresses."""
        own = (id_ for address in question.addresses for id_ in self.by_address[address.lower()])
        return list(dict.fromkeys([*own, *self.unplaced]))


class SendGridActivity:
    requests_a_minute = 6

    def ask(
        self,
        transport: SendGridTransport,
        questions: Sequence[ActivityQuestion],
        *,
        others: Collection[str],
        installation: str,
        requests: int,
    ) -> ActivityAnswer:
        """One request lists the messages, the others read those of which it is not known whose they are."""
        listed = _listed(transport, questions)
        known = {*others, *(question.provider_id for question in questions if question.provider_id)}
        reading = _Reading(transport, installation=installation, left=requests - 1)
        found, absent = set(), set()
        for question in questions:
            if question.provider_id:
                if any(_request_of(id_) == question.provider_id for id_ in listed.of(question)):
                    found.add(question.attempt)
                continue
            doubtful = [id_ for id_ in listed.of(question) if _request_of(id_) not in known]
            match reading.is_among(question.attempt, doubtful):
                case True:
                    found.add(question.attempt)
                case False if listed.is_whole:
                    absent.add(question.attempt)
        return ActivityAnswer(frozenset(found), frozenset(absent))


class _Reading:
    """Reads single messages, each at most once, as long as requests are left."""

    def __init__(self, transport: SendGridTransport, *, installation: str, left: int) -> None:
        self._transport, self._installation, self._left = transport, installation, left
        #: By msg_id; None = it could not be read.
        self._read: dict[str, Mapping[str, Any] | None] = {}

    def is_among(self, attempt: UUID, messages: Sequence[str]) -> bool | None:
        """Whether one of the messages is the attempt's; None when that could not be told."""
        is_known = True
        for message in messages:
            arguments = self._arguments(message)
            if arguments is None:
                is_known = False
            elif str(arguments.get("nd_attempt") or "").lower() == str(attempt):
                if arguments.get("nd_installation") == self._installation:
                    return True
                # Nobody else can have made up the id, so that this is no sign of a refusal either.
                is_known = False
        return False if is_known else None

    def _arguments(self, message: str) -> Mapping[str, Any] | None:
        if message not in self._read:
            if self._left <= 0 or _MSG_ID.fullmatch(message) is None:
                return None
            self._left -= 1
            try:
                self._read[message] = _arguments(_get(self._transport, message))
            except ActivityUnavailableError as error:
                # What others were read to be is true all the same.
                log.info("activity_message_unread", why=str(error))
                self._left, self._read[message] = 0, None
        return self._read[message]


def _listed(transport: SendGridTransport, questions: Sequence[ActivityQuestion]) -> _Listed:
    answer = _get(transport, query=_query(questions), limit=MOST)
    try:
        messages = [(str(item["to_email"]).lower(), str(item["msg_id"])) for item in answer["messages"]]
    except (KeyError, TypeError) as error:
        raise ActivityUnavailableError(f"the answer is no list of messages: {error}") from error
    by_address: dict[str, list[str]] = {address.lower(): [] for question in questions for address in question.addresses}
    unplaced: list[str] = []
    for address, message in messages:
        by_address.get(address, unplaced).append(message)
    return _Listed(by_address, unplaced, is_whole=len(messages) < MOST)


def _query(questions: Sequence[ActivityQuestion]) -> str:
    """Messages to any of the addresses, as they are stored and in lower case, of which something happened since the first of the requests."""
    given = {address for question in questions for address in question.addresses}
    addresses = sorted(given | {address.lower() for address in given})
    to_any = " OR ".join(f"to_email={_quoted(address)}" for address in addresses)
    since = min(question.begun_at for question in questions) - _LONG_BEFORE
    until = datetime.now(UTC) + _CLOCKS_DIFFER
    return f"({to_any}) AND last_event_time BETWEEN TIMESTAMP {_time(since)} AND TIMESTAMP {_time(until)}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _time(moment: datetime) -> str:
    return f'"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"'


def _request_of(message: str) -> str:
    """The X-Message-Id of the request that the message was in."""
    return message.partition(".")[0]


def _arguments(details: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The custom_args a message was sent with; None when they cannot be read, or there are none: perhaps they are not told."""
    given = details.get("unique_args")
    try:
        arguments = orjson.loads(given) if isinstance(given, str) else given
    except orjson.JSONDecodeError:
        return None
    return arguments if isinstance(arguments, dict) and arguments else None


def _get(transport: SendGridTransport, message: str = "", **params: object) -> Any:
    """The decoded answer, a JSON object. Raises ActivityUnavailableError."""
    address = transport.questions.messages
    if message:
        address = address._(quote(message, safe=""))
    try:
        answer = address.get(query_params=params or None)
    except (BodyBegunError, urllib3.exceptions.HTTPError, OSError) as error:
        # Some of their words hold the whole address that was asked, with readers' in it.
        words = "" if "to_email" in str(error) else f": {error}"[:300]
        raise ActivityUnavailableError(f"{type(error).__name__}{words}") from error
    # What a reader's address is part of is not for the log.
    why = _ADDRESS.sub("…", f"HTTP {answer.status}: {answer.data[:200].decode(errors='replace')}")
    if answer.status in _HAS_NONE and not message:
        raise NoActivityError(why)
    if answer.status != 200:
        raise ActivityUnavailableError(why)
    try:
        decoded = orjson.loads(answer.data)
    except orjson.JSONDecodeError as error:
        raise ActivityUnavailableError(f"the answer is no JSON: {error}") from error
    if not isinstance(decoded, dict):
        raise ActivityUnavailableError("the answer is no JSON object")
    return decoded
