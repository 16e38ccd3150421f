"""GET /v3/messages: the email activity feed, SendGrid's own record of the messages it accepted.

It knows what the ledger knows, so nothing that was refused, and each message `lag` seconds after its acceptance. What became of a
message is told by its address, as in `sandbox.behaviours`; that an address stood on a suppression list is not told. Fields and
errors are those of the published OpenAPI (tsg_email_activity_v3).
"""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from sandbox import messages
from sandbox.activity_query import Query, parsed
from sandbox.behaviours import Chances
from sandbox.ledger import StoredMessage
from sandbox.state import State
from sandbox.wire import Request, Response, error, json_response

DEFAULT_LIMIT, MOST = 10, 1000
#: Newest messages that a question is compared with which names no address.
_LOOKED_THROUGH = 10_000
_MSG_ID = re.compile(r"([\w-]+)\.recvd-sandbox-(\d{1,6})")
_EVENT_NAMES = {"bounce": "bounced", "spamreport": "spam_report"}
_NOT_DELIVERED = {"bounced", "dropped"}


def listed(state: State, request: Request) -> Response:
    """Messages that fit a query, newest first."""
    if refusal := _refusal(state):
        return refusal
    text = request.query.get("query", "")
    if not text:
        return error(400, "query is required")
    limit = request.query.get("limit", str(DEFAULT_LIMIT))
    if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit[:9]) <= MOST:
        return error(400, f"limit must be between 1 and {MOST}")
    try:
        query = parsed(text)
    except ValueError as problem:
        return error(400, str(problem))
    found: list[dict[str, Any]] = []
    for message in _candidates(state, query):
        entry = _summary(state, message)
        if entry is not None and query.matches(entry):
            found.append(entry)
            if len(found) == int(limit):
                break
    return json_response({"messages": found})


def details(state: State, request: Request) -> Response:
    """One message, by the id that the list gave it."""
    if refusal := _refusal(state):
        return refusal
    named = _MSG_ID.fullmatch(request.path.removeprefix("/v3/messages/"))
    found = state.ledger.message_at(named[1], int(named[2])) if named else None
    entry = _summary(state, found) if found else None
    if found is None or entry is None:
        return error(404, "message not found")
    mail = found.request.mail
    own = mail["personalizations"][found.recipient.position].get("custom_args") or {}
    events = [
        {"event_name": name, "processed": _time(at), "bounce_type": "", "http_user_agent": "", "mx_server": ""}
        for name, at in _events(state, found)
    ]
    more = {
        "unique_args": orjson.dumps({**(mail.get("custom_args") or {}), **own}).decode(),
        "categories": mail.get("categories") or [],
        "events": events,
        "template_id": "",
        "asm_group_id": 0,
        "teammate": "",
        "api_key_id": "",
        "originating_ip": "192.0.2.9",
        "outbound_ip": "192.0.2.4",
        "outbound_ip_type": "shared",
    }
    return json_response({**entry, **more})


def settings(state: State, request: Request) -> Response:
    """GET /sandbox/activity shows the feed's settings, POST (or PATCH) changes those it names."""
    if request.method != "GET":
        body = request.json()
        if not isinstance(body, dict):
            raise ValueError("the settings to change are a JSON object")
        state.activity = state.activity.changed(body)
    return json_response(vars(state.activity))


def _refusal(state: State) -> Response | None:
    """Why the feed does not answer at all."""
    if not state.activity.available:
        return error(403, "access forbidden")
    if state.activity.broken:
        return error(500, "internal server error")
    if not state.may_ask_activity():
        return error(429, "too many requests")
    return None


def _candidates(state: State, query: Query) -> Iterator[StoredMessage]:
    if query.addresses is None:
        yield from state.ledger.messages(limit=_LOOKED_THROUGH)
        return
    for address in sorted(query.addresses):
        yield from state.ledger.messages(address=address, limit=MOST)


def _summary(state: State, message: StoredMessage) -> dict[str, Any] | None:
    """A message as the list shows it; None when the feed does not know it yet."""
    if message.request.accepted_at + state.activity.lag > time.time():
        return None
    mail = messages.received(message.request.mail, message.recipient.position)
    events = _events(state, message)
    names = [name for name, _at in events]
    status = "not_delivered" if _NOT_DELIVERED & set(names) else "delivered" if "delivered" in names else "processed"
    return {
        "from_email": message.request.mail["from"]["email"],
        "msg_id": f"{message.request.message_id}.recvd-sandbox-{message.recipient.position}",
        "subject": mail.subject,
        "to_email": message.recipient.address,
        "status": status,
        "opens_count": names.count("open"),
        "clicks_count": names.count("click"),
        "last_event_time": _time(max(at for _name, at in events)),
    }


def _events(state: State, message: StoredMessage) -> list[tuple[str, float]]:
    """(name, unix seconds) of what has become of a message so far; that it was processed at least."""
    options, address = state.options, message.recipient.address
    chances = Chances(
        seed=options.seed, opens=options.open_rate, clicks=options.click_rate, bounces_late=0.0, late_after=0.0
    )
    story = chances.story(address, message.recipient.delivery or address)
    began = max(message.request.accepted_at, message.request.mail.get("send_at", 0))
    steps = [(_EVENT_NAMES.get(step.event, step.event), began + step.after) for step in story.steps]
    now = time.time()
    return [step for step in steps if step[1] <= now] or [("processed", message.request.accepted_at)]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
