"""/sandbox/…: what tests and demonstrations ask, and how they steer the sandbox."""

import dataclasses
import re
from typing import Any

from sandbox import messages
from sandbox.ledger import StoredMessage
from sandbox.state import State
from sandbox.webhooks import Posting
from sandbox.wire import Request, Response, json_response

MAX_LIMIT = 10_000


def plain_error(status: int, message: str) -> Response:
    return json_response({"error": message}, status=status)


def health(state: State, _request: Request) -> Response:
    return json_response({"status": "ok", "accepted": state.ledger.accepted()})


def public_key(state: State, _request: Request) -> Response:
    return Response(body=state.key.public.encode() + b"\n", content_type="text/plain; charset=utf-8")


def ledger(state: State, request: Request) -> Response:
    return json_response(state.ledger.counts(request.query.get("category")))


def accepted(state: State, request: Request) -> Response:
    """Everything accepted in a category, and how many deliveries are reported of it: for whoever judges a whole send."""
    category = request.query.get("category", "")
    if not category:
        raise ValueError("category: say which, for example edition-7")
    messages = [
        {"address": address, "delivery": delivery, "attempt": attempt, "accepted_at": accepted_at}
        for address, delivery, attempt, accepted_at in state.ledger.accepted_in(category)
    ]
    return json_response({"messages": messages, "delivered": state.ledger.delivered_in(category)})


def duplicates(state: State, request: Request) -> Response:
    limit = number(request, "limit", 100, most=MAX_LIMIT)
    return json_response(state.ledger.duplicates(request.query.get("category"), limit=limit))


def listed(state: State, request: Request) -> Response:
    query = request.query
    matches = state.ledger.messages(
        address=query.get("address", ""),
        delivery=query.get("delivery", ""),
        category=query.get("category", ""),
        before=number(request, "before", 0) or None,
        limit=number(request, "limit", 100, most=MAX_LIMIT),
    )
    return json_response([_as_json(message) for message in matches])


def _as_json(message: StoredMessage) -> dict[str, Any]:
    mail = messages.received(message.request.mail, message.recipient.position)
    return {
        "id": message.id,
        "address": message.recipient.address,
        "delivery": message.recipient.delivery,
        "attempt": message.recipient.attempt,
        "categories": message.request.mail.get("categories") or [],
        "subject": mail.subject,
        "from": mail.sender,
        "headers": mail.headers,
        "accepted_at": message.request.accepted_at,
        "message_id": message.request.message_id,
    }


def source(state: State, request: Request) -> Response:
    """The raw .eml."""
    return Response(body=messages.eml(state.ledger.message(message_number(request))), content_type="message/rfc822")


def message_number(request: Request) -> int:
    """The message a path names. Raises KeyError when its number is beyond any ledger."""
    match = re.search(r"/(\d+)", request.path)
    if match is None or len(match[1]) > 18:
        raise KeyError(request.path)
    return int(match[1])


def number(request: Request, name: str, default: int, *, most: int = 2**62) -> int:
    """A whole number from the query. Raises ValueError naming it."""
    text = request.query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise ValueError(f"{name}: {text!r} is not a number")
    return min(int(text), most)


def faults(state: State, request: Request) -> Response:
    """GET lists, POST adds one or a list, DELETE removes all or the one in the path."""
    if request.method == "GET":
        return json_response(state.faults.as_json())
    if request.method == "DELETE":
        fault_id = message_number(request) if request.path.rstrip("/") != "/sandbox/faults" else None
        return json_response({"removed": state.faults.remove(fault_id)})
    body = request.json()
    return json_response(state.faults.add(body if isinstance(body, list) else [body]), status=201)


def events(posting: Posting) -> Response:
    return json_response(posting.counts())


def webhooks(state: State, posting: Posting, request: Request) -> Response:
    """GET shows the settings, POST (or PATCH) changes those it names."""
    if request.method != "GET":
        body = request.json()
        if not isinstance(body, dict):
            raise ValueError("the settings to change are a JSON object")
        posting.change(body)
    return json_response(dataclasses.asdict(state.webhooks))
