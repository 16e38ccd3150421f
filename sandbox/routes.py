"""Which path is answered by whom."""

import re
from collections.abc import Callable
from functools import partial
from urllib.parse import unquote, urlsplit

from sandbox import accepting, activity, api, erasing, lookups, page
from sandbox.access import refused_access, refused_page
from sandbox.state import State
from sandbox.suppressions import KINDS
from sandbox.webhooks import Posting
from sandbox.wire import Request, Response, error

Answer = Callable[[Request], Response]


class Routes:
    """The application: a request in, an answer out."""

    def __init__(self, state: State, posting: Posting) -> None:
        self._state = state
        kinds = "|".join(KINDS)
        table: list[tuple[str, str, Callable[[State, Request], Response]]] = [
            ("GET", r"/", page.listing),
            ("GET", r"/sandbox/style\.css", page.style),
            ("GET", r"/sandbox/view/\d+", page.view),
            ("GET", r"/sandbox/messages/\d+/html", page.markup),
            ("GET", r"/sandbox/messages/\d+(\.eml)?", lookups.source),
            ("GET", r"/sandbox/messages", lookups.listed),
            ("GET", r"/sandbox/ledger", lookups.ledger),
            ("GET", r"/sandbox/accepted", lookups.accepted),
            ("GET", r"/sandbox/duplicates", lookups.duplicates),
            ("GET", r"/sandbox/public-key", lookups.public_key),
            ("GET", r"/sandbox/health", lookups.health),
            ("GET POST DELETE", r"/sandbox/faults", lookups.faults),
            ("DELETE", r"/sandbox/faults/\d+", lookups.faults),
            ("GET", r"/sandbox/events", lambda _state, _request: lookups.events(posting)),
            ("GET POST PATCH", r"/sandbox/webhooks", lambda state, request: lookups.webhooks(state, posting, request)),
            ("GET POST PATCH", r"/sandbox/activity", activity.settings),
            ("GET", r"/v3/messages", partial(_keyed, activity.listed, "email_activity.read")),
            ("GET", r"/v3/messages/[^/]+", partial(_keyed, activity.details, "email_activity.read")),
            ("POST", r"/v3/recipients/erasejob", partial(_keyed, erasing.erase_job, None)),
            ("GET", r"/v3/scopes", partial(_keyed, api.scopes, None)),
            ("GET", r"/v3/user/webhooks/event/settings/signed", partial(_keyed, api.signed_webhook, None)),
            ("GET", rf"/v3/suppression/({kinds})(/[^/]+)?", partial(_keyed, api.suppressions, "suppression.read")),
            ("DELETE", rf"/v3/suppression/({kinds})(/[^/]+)?", partial(_keyed, api.suppressions, "suppression.delete")),
        ]
        self._table = [(methods.split(), re.compile(path).fullmatch, answer) for methods, path, answer in table]

    def __call__(self, request: Request) -> Response:
        if request.path == "/v3/mail/send" and request.method == "POST":
            return accepting.send_mail(self._state, request)
        request = Request(
            method=request.method,
            path=unquote(request.path),
            query=request.query,
            headers=request.headers,
            body=request.body,
        )
        if request.method != "GET" and _is_foreign(request):
            return lookups.plain_error(403, "requests from other web pages are refused")
        if request.path.startswith("/v3/"):
            return self._find(request, _api_error)
        try:
            return refused_page(self._state, request) or self._find(request, lookups.plain_error)
        except KeyError:
            return lookups.plain_error(404, "no such message")
        except ValueError as problem:
            return lookups.plain_error(400, str(problem))

    def _find(self, request: Request, refuse: Callable[[int, str], Response]) -> Response:
        known = request.path == "/v3/mail/send"
        for methods, matches, answer in self._table:
            if matches(request.path):
                known = True
                if request.method in methods or (request.method == "HEAD" and "GET" in methods):
                    return answer(self._state, request)
        return refuse(405, "method not allowed") if known else refuse(404, "not found")


def _api_error(status: int, message: str) -> Response:
    return error(status, message)


def _keyed(answer: Callable[[State, Request], Response], scope: str | None, state: State, request: Request) -> Response:
    return refused_access(state, request, scope=scope) or answer(state, request)


def _is_foreign(request: Request) -> bool:
    """Whether a browser sends this for another site's page, which must not steer a sandbox behind a person's back."""
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")
