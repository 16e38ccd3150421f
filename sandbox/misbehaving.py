"""What a fault makes of an answer."""

import time
from collections.abc import Callable, Collection
from dataclasses import replace

import orjson

from sandbox.faults import Fault, named
from sandbox.wire import Ending, Response, error, json_response

BAD_GATEWAY_PAGE = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    b"<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
_MESSAGES = {500: "internal server error", 503: "service unavailable", 504: "gateway timeout"}


def instead(fault: Fault, addresses: Collection[str]) -> Response:
    """The answer where nothing is accepted; `addresses` are the first of each personalization."""
    if fault.kind == "bad-recipient":
        return _bad_recipient(fault, addresses)
    return _ANSWERS[fault.kind](fault)


def after_acceptance(fault: Fault, accepted: Response) -> Response:
    """The answer after a request was accepted and committed."""
    if fault.kind == "truncated":
        return replace(accepted, cut=fault.fields["cut"], ending=Ending.CLOSE)
    answer = _ANSWERS[fault.kind](fault)
    return replace(answer, headers={**accepted.headers, **answer.headers})


def _bad_recipient(fault: Fault, addresses: Collection[str]) -> Response:
    errors = [
        {"message": fault.fields["message"], "field": f"personalizations.{index}.{fault.fields['field']}", "help": None}
        for index in named(fault, addresses)
    ]
    return json_response({"errors": errors}, status=400)


def _rate_limit(fault: Fault) -> Response:
    headers = {}
    if fault.fields["headers"]:
        reset = int(time.time()) + int(fault.fields["retry_after"] or 1)
        headers = {"X-RateLimit-Limit": "600", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
    if fault.fields["retry_after"] is not None:
        headers["Retry-After"] = str(fault.fields["retry_after"])
    return json_response({"errors": [{"field": None, "message": "too many requests"}]}, status=429, headers=headers)


def _error(fault: Fault) -> Response:
    status = int(fault.fields["status"])
    return _bad_gateway(fault) if status == 502 else error(status, _MESSAGES.get(status, "error"))


def _bad_gateway(_fault: Fault) -> Response:
    return Response(status=502, body=BAD_GATEWAY_PAGE, content_type="text/html")


def _truncated(fault: Fault) -> Response:
    return replace(error(500, _MESSAGES[500]), cut=fault.fields["cut"], ending=Ending.CLOSE)


def _redirect(fault: Fault) -> Response:
    return Response(status=302, headers={"Location": fault.fields["location"]})


def _answer(fault: Fault) -> Response:
    fields = fault.fields
    headers = {str(name): str(value) for name, value in fields["headers"].items()}
    if fields["json"] is not None:
        return Response(status=int(fields["status"]), body=orjson.dumps(fields["json"]), headers=headers)
    body = fields["text"].encode()
    return Response(status=int(fields["status"]), body=body, content_type="text/plain; charset=utf-8", headers=headers)


def _silent(ending: Ending) -> Callable[[Fault], Response]:
    return lambda fault: Response(ending=ending, seconds=fault.fields.get("seconds", 0.0))


_ANSWERS: dict[str, Callable[[Fault], Response]] = {
    "rate-limit": _rate_limit,
    "error": _error,
    "bad-gateway": _bad_gateway,
    "credits-exceeded": lambda _fault: error(401, "Maximum credits exceeded"),
    "redirect": _redirect,
    "truncated": _truncated,
    "answer": _answer,
    "accept-then-error": _error,
    **{f"{what}-then-close": _silent(Ending.DROP) for what in ("accept", "reject")},
    **{f"{what}-then-reset": _silent(Ending.RESET) for what in ("accept", "reject")},
    **{f"{what}-then-hang": _silent(Ending.HANG) for what in ("accept", "reject")},
}
