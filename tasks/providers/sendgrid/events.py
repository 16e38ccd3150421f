"""Reading what the provider posted: bytes in, events out, nothing else touched.

SendGrid's Event Webhook is a JSON array of flat objects; our custom_args stand beside its own fields. Nothing in it is
trusted to be there or to have the documented type: late bounces come without ids, names may be new, `category` is a
string or an array, `email` may be empty.
"""

import json
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from uuid import UUID

import orjson

from subscribers.addresses import stored_form
from tasks.providers.events import (
    ADDRESS_LENGTH,
    AGENT_LENGTH,
    KIND_LENGTH,
    REASON_LENGTH,
    URL_LENGTH,
    DropCause,
    EventKind,
    Parsed,
    ReportedEvent,
    UnreadableBodyError,
)

#: SendGrid's words ("Event Webhook Reference"), with two of ours: only a bounce of type "bounce" is permanent, any other is
#: `blocked`; an open that a mail provider's machine made (sg_machine_open) is `machine_open`.
KINDS: dict[str, EventKind] = {
    "processed": EventKind.PROCESSED,
    "delivered": EventKind.DELIVERED,
    "deferred": EventKind.DEFERRED,
    "bounce": EventKind.HARD_BOUNCE,
    "blocked": EventKind.SOFT_BOUNCE,
    "dropped": EventKind.DROPPED,
    "spamreport": EventKind.COMPLAINT,
    "unsubscribe": EventKind.UNSUBSCRIBED,
    "group_unsubscribe": EventKind.UNSUBSCRIBED,
    "open": EventKind.OPENED,
    "machine_open": EventKind.OPENED_BY_MACHINE,
    "click": EventKind.CLICKED,
}
#: Its reasons for dropping, in lower case. Spam content, a bad header and a spent quota say nothing about the reader.
DROP_CAUSES: dict[str, DropCause] = {
    "invalid": DropCause.INVALID,
    "bounced address": DropCause.HARD_BOUNCE,
    "spam reporting address": DropCause.COMPLAINT,
    "unsubscribed address": DropCause.UNSUBSCRIBED,
}
_BY_AN_AGENT = frozenset({"open", "machine_open", "click"})
#: The year 10000: PostgreSQL goes further, Python's datetime does not.
LATEST_TIMESTAMP = 253_402_300_800
#: Decimal digits that surely fit a bigint.
ID_DIGITS = 18
#: Of ids that are texts, in characters.
ID_LENGTH = 200


def parse(body: bytes) -> Parsed:
    """Read a webhook body. Raises UnreadableBodyError when no event can be told; one bad entry costs only itself."""
    entries = _entries(body)
    events: list[ReportedEvent] = []
    problems: list[str] = []
    for position, entry in enumerate(entries):
        if isinstance(entry, dict):
            events.append(_event(entry))
        else:
            problems.append(f"entry {position} is not an object but {type(entry).__name__}")
    return Parsed(events, problems)


def _entries(body: bytes) -> Iterable[object]:
    try:
        decoded: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        decoded = _loads_leniently(body)
    if isinstance(decoded, dict):
        return [decoded]
    if not isinstance(decoded, list):
        raise UnreadableBodyError(f"the body is not an array of events but {type(decoded).__name__}")
    return decoded


def _loads_leniently(body: bytes) -> object:
    """For the few bodies orjson refuses: a user agent that is not UTF-8, half a surrogate pair, a byte order mark."""
    try:
        return json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        raise UnreadableBodyError(f"the body is not JSON: {error}") from error


#: Our kind of each word, as text: asking an enum for its value costs as much as hashing the event.
_KIND = {word: kind.value for word, kind in KINDS.items()}


def _event(entry: dict[str, Any]) -> ReportedEvent:
    """One report. It runs for each of millions: what is true of nearly all of them is asked first."""
    get = entry.get
    word = _word(entry)
    address = _text(get("email"), ADDRESS_LENGTH).strip().lower()
    if not address.isascii():
        address = stored_form(address)
    url = _text(get("url"), None)
    at = get("timestamp")
    if type(at) is not int or not 0 < at < LATEST_TIMESTAMP:
        at = _timestamp(at)
    delivery = get("nd_delivery")
    send_id, subscriber_id = _delivery(delivery) if type(delivery) is str else _NOBODY
    # The provider's own word: a report has the same key whatever we come to call it.
    named = f"{address if send_id is None else delivery}\0{word}\0{'' if at is None else at}\0{url}"
    agent = _text(get("useragent"), AGENT_LENGTH)
    if agent and word in _BY_AN_AGENT:
        # A scanner and a reader may follow one link in the same second: whichever came first would hide the other.
        named += "\0" + agent
    attempt = get("nd_attempt")
    reason = _text(get("reason") or get("response"), REASON_LENGTH)
    return ReportedEvent(
        blake2b(named.encode("utf-8", "surrogatepass"), digest_size=16).digest(),
        _KIND.get(word) or f"other:{word}"[:KIND_LENGTH],
        at,
        address,
        send_id,
        subscriber_id,
        _uuid(attempt) if type(attempt) is str else None,
        url[:URL_LENGTH],
        agent,
        reason,
        DROP_CAUSES.get(reason.strip().lower()) if word == "dropped" else None,
        _text(get("nd_installation"), ID_LENGTH),
        # X-Message-Id is what stands before the first dot.
        _text(get("sg_message_id"), ID_LENGTH).partition(".")[0],
    )


def _word(entry: dict[str, Any]) -> str:
    name = _text(entry.get("event"), KIND_LENGTH)
    if name == "bounce" and entry.get("type") != "bounce":
        return "blocked"
    if name == "open" and entry.get("sg_machine_open") is True:
        return "machine_open"
    return name


def _text(value: object, limit: int | None) -> str:
    """Anything as text that PostgreSQL can hold: no NUL, no half surrogate."""
    if not value or type(value) is not str:
        return ""
    if not value.isascii():
        value = value.encode("utf-8", "replace").decode()
    if "\0" in value:
        value = value.replace("\0", "")
    return value[:limit]


def _timestamp(value: object) -> int | None:
    if type(value) is str:
        value = int(value) if value.isdecimal() and len(value) <= ID_DIGITS else None
    if type(value) is float:
        value = int(value) if 0 < value < LATEST_TIMESTAMP else None
    if type(value) is int and 0 < value < LATEST_TIMESTAMP:
        return value
    return None


_NOBODY = (None, None)


def _delivery(value: str) -> tuple[int, int] | tuple[None, None]:
    send, _, subscriber = value.partition(".")
    if len(send) > ID_DIGITS or len(subscriber) > ID_DIGITS:
        return _NOBODY
    # A text without a dot has an empty second half, which is no number.
    if not (value.isascii() and send.isdecimal() and subscriber.isdecimal()):
        return _NOBODY
    return int(send), int(subscriber)


@lru_cache(maxsize=4096)
def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
