"""Who may call the API: the key and its scopes."""

import html
import secrets
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlencode

from sandbox.state import State
from sandbox.wire import Request, Response, error


def refused_access(state: State, request: Request, *, scope: str | None = None) -> Response | None:
    """The 401 or 403 for a request without the right key or scope; None when it may pass."""
    scheme, _space, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        return error(401, "authorization required")
    wanted = state.options.api_key
    if wanted is not None and not secrets.compare_digest(key.strip().encode(), wanted.encode()):
        return error(401, "The provided authorization grant is invalid, expired, or revoked")
    if scope is not None and scope not in state.options.scopes:
        return error(403, "access forbidden")
    return None


_COOKIE = "sandbox_key"
#: Whether it runs, and the key that verifies its webhooks, are for everybody.
_OPEN = frozenset({"/sandbox/health", "/sandbox/public-key", "/sandbox/style.css"})


def refused_page(state: State, request: Request) -> Response | None:
    """What somebody gets who may not see the mails; None for who may: everybody where only this machine is listened to.

    Elsewhere a link with the key opens the pages: it leaves a cookie, and leads to the same page without the key.
    Scripts may send it as a bearer.
    """
    wanted = state.page_key
    if wanted is None or request.path in _OPEN:
        return None
    if request.method == "GET" and _is(request.query.get("key", ""), wanted):
        rest = urlencode({name: value for name, value in request.query.items() if name != "key"})
        headers = {
            "Location": f"{request.path}?{rest}" if rest else request.path,
            "Set-Cookie": f"{_COOKIE}={wanted}; Path=/; HttpOnly; SameSite=Lax",
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
        }
        return Response(status=303, headers=headers)
    scheme, _space, bearer = request.headers.get("authorization", "").partition(" ")
    if _is(_cookie(request), wanted) or (scheme.lower() == "bearer" and _is(bearer.strip(), wanted)):
        return None
    where = html.escape(str(state.options.home / "page-key"))
    text = f"<!doctype html><title>Sandbox</title><p>Add ?key= and the word in {where} to this address.</p>\n"
    return Response(status=403, body=text.encode(), content_type="text/html; charset=utf-8")


def _is(given: str, wanted: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def _cookie(request: Request) -> str:
    try:
        found = SimpleCookie(request.headers.get("cookie", "")).get(_COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
