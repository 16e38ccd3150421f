"""/v3/… besides mail/send: scopes, suppression lists, the webhook's public key."""

import orjson

from sandbox.lookups import number
from sandbox.state import State
from sandbox.wire import Request, Response, error, json_response

MAX_PAGE = 500


def scopes(state: State, _request: Request) -> Response:
    return json_response({"scopes": list(state.options.scopes)})


def signed_webhook(state: State, _request: Request) -> Response:
    return json_response({"id": "", "public_key": state.key.public})


def suppressions(state: State, request: Request) -> Response:
    """One list (/v3/suppression/bounces) or one address of it (/v3/suppression/bounces/reader@example.org)."""
    kind, _slash, address = request.path.removeprefix("/v3/suppression/").partition("/")
    if request.method == "DELETE":
        return _delete(state, request, kind, address)
    try:
        limit, offset = number(request, "limit", MAX_PAGE), number(request, "offset", 0)
        since = number(request, "start_time", 0)
    except ValueError as problem:
        return error(400, str(problem))
    if limit > MAX_PAGE:
        return error(400, f"limit may not exceed {MAX_PAGE}", field="limit")
    return json_response(state.suppressions.listed(kind, address=address, since=since, limit=limit, offset=offset))


def _delete(state: State, request: Request, kind: str, address: str) -> Response:
    if address:
        removed = state.suppressions.remove(kind, [address])
        return Response(status=204) if removed else error(404, "not found")
    try:
        body = orjson.loads(request.body or b"{}")
    except orjson.JSONDecodeError:
        return error(400, "Bad Request")
    emails = body.get("emails") if isinstance(body, dict) else None
    if isinstance(body, dict) and body.get("delete_all") is True and emails is None:
        state.suppressions.remove(kind)
    elif isinstance(emails, list) and all(isinstance(email, str) for email in emails):
        state.suppressions.remove(kind, emails)
    else:
        return error(400, "either delete_all or emails is required")
    return Response(status=204)
