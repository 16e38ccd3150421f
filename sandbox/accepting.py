"""POST /v3/mail/send: from bytes to a committed ledger entry and its answer, or to a refusal."""

import secrets
import time
from collections.abc import Iterator
from typing import Any

import orjson

from sandbox import misbehaving, validation
from sandbox.access import refused_access
from sandbox.faults import Occasion
from sandbox.ledger import Recipient
from sandbox.recipients import people
from sandbox.rules import Problem
from sandbox.state import State
from sandbox.wire import Request, Response, error, json_response

CREDITS_EXCEEDED = "Maximum credits exceeded"
#: Addresses the API itself refuses, by local part.
INVALID_PREFIX = "invalid+"


def send_mail(state: State, request: Request) -> Response:
    """Answer one mail/send request, as the API would or as a fault wants it."""
    number = state.faults.next_number()
    try:
        mail = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        mail = None
    if state.faults.quiet:
        return _process(state, request, mail)
    latency, fault = state.faults.strike(_occasion(number, mail))
    if latency:
        state.stopping.wait(latency)
    if fault is None:
        return _process(state, request, mail)
    if not fault.accepts:
        return misbehaving.instead(fault, _first_addresses(mail))
    response = _process(state, request, mail)
    return misbehaving.after_acceptance(fault, response) if response.status == 202 else response


def _process(state: State, request: Request, mail: Any) -> Response:
    now = time.time()
    refusal = (
        refused_access(state, request, scope="mail.send")
        or _refused_form(request, mail)
        or _refused_mail(mail, now)
        or _refused_sender(state, mail)
    )
    if refusal:
        return refusal
    if (mail.get("mail_settings") or {}).get("sandbox_mode", {}).get("enable"):
        return Response(status=200)
    recipients = list(_recipients(mail))
    if not state.spend(len(recipients)):
        return error(401, CREDITS_EXCEEDED)
    return _accept(state, request, mail, recipients, now)


def _accept(state: State, request: Request, mail: dict[str, Any], recipients: list[Recipient], now: float) -> Response:
    message_id = secrets.token_urlsafe(16)
    state.ledger.accept(
        message_id=message_id,
        body=request.body,
        categories=mail.get("categories") or (),
        recipients=recipients,
        now=now,
        due_at=max(now + state.webhooks.delay, mail.get("send_at", 0)),
    )
    state.last_accepted = time.monotonic()
    return Response(status=202, headers={"X-Message-Id": message_id})


def _refused_form(request: Request, mail: Any) -> Response | None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return error(415, "Content-Type should be application/json.")
    if mail is not None:
        return None
    try:
        request.body.decode()
    except UnicodeDecodeError:
        return error(415, "The request body is not valid UTF-8.")
    return error(400, "Bad Request")


def _refused_mail(mail: Any, now: float) -> Response | None:
    problems = validation.check(mail, now=now)
    if not problems:
        problems = [
            Problem(message="Does not contain a valid address.", field=field) for field in _invalid_fields(mail)
        ]
    return json_response({"errors": [problem.as_json() for problem in problems]}, status=400) if problems else None


def _recipients(mail: dict[str, Any]) -> Iterator[Recipient]:
    shared = mail.get("custom_args") or {}
    delivery, attempt = shared.get("nd_delivery"), shared.get("nd_attempt")
    for position, item in enumerate(mail["personalizations"]):
        args = item.get("custom_args") or {}
        for person in people(item):
            yield Recipient(
                position=position,
                address=person["email"].lower(),
                delivery=args.get("nd_delivery", delivery),
                attempt=args.get("nd_attempt", attempt),
            )


def _invalid_fields(mail: dict[str, Any]) -> Iterator[str]:
    for position, item in enumerate(mail["personalizations"]):
        for kind in ("to", "cc", "bcc"):
            for place, person in enumerate(item.get(kind) or ()):
                if person["email"][: len(INVALID_PREFIX)].lower() == INVALID_PREFIX:
                    yield f"personalizations.{position}.{kind}.{place}.email"


def _refused_sender(state: State, mail: dict[str, Any]) -> Response | None:
    verified = tuple(sender.lower() for sender in state.options.verified_senders)
    if not verified:
        return None
    senders = [("from", mail["from"]["email"].lower())]
    senders += [
        (f"personalizations.{index}.from", item["from"]["email"].lower())
        for index, item in enumerate(mail["personalizations"])
        if "from" in item
    ]
    for field, sender in senders:
        if sender not in verified and "@" + sender.partition("@")[2] not in verified:
            message = (
                "The from address does not match a verified Sender Identity. Mail cannot be sent until this error is "
                "resolved."
            )
            return error(403, message, field=field)
    return None


def _occasion(number: int, mail: Any) -> Occasion:
    categories = mail.get("categories") if isinstance(mail, dict) else None
    names = [name for name in categories if isinstance(name, str)] if isinstance(categories, list) else []
    return Occasion(number=number, categories=names, addresses=_first_addresses(mail))


def _first_addresses(mail: Any) -> list[str]:
    """The first address of each personalization; "" where a request is too broken to tell."""
    items = mail.get("personalizations") if isinstance(mail, dict) else None
    return [_first_address(item) for item in items] if isinstance(items, list) else []


def _first_address(item: Any) -> str:
    try:
        email = item["to"][0]["email"]
    except (LookupError, TypeError):
        return ""
    return email if isinstance(email, str) else ""
