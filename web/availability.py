"""A part that is away or busy never takes the rest with it.

The web has as many threads as `newsdesk.local_stack.gunicorn_config` says. Pages of the desk, which may be heavy, get half of them at most:
the others are for readers and webhooks. Every request has only so long for the database, and 503 with Retry-After is what the outside hears
when it is away, full or frozen: mail providers and SendGrid come again.
"""

from collections.abc import Callable
from threading import BoundedSemaphore

import structlog
from django.db import InterfaceError, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from newsdesk.core.postgres import patience
from web import webhooks
from web.public_pages import page
from web.watch import watch

log = structlog.get_logger(__name__)

#: Pages of the desk that one process works on at once: half of its threads.
DESK_AT_ONCE = 8
#: Seconds that a request has for the database in all.
DESK_SECONDS, SECONDS = 50.0, 6.0
#: Mails with their pictures come in over this address.
INBOUND_SECONDS = 30.0
#: Seconds after which to come again.
RETRY_AFTER = 5
#: What PostgreSQL itself is told of a request's statements, so that it does not go on for somebody who has left.
_LIMITS = "SET statement_timeout = '55s'; SET lock_timeout = '10s'"


class Availability:
    """Limits what a request may take, and says 503 where it gets nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response
        self._desk = BoundedSemaphore(DESK_AT_ONCE)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if path == "/healthz":
            return self._get_response(request)
        if watch.database_is_away:
            if path.startswith("/webhooks/"):
                webhooks.refuse_unseen(path)
            return unavailable(request)
        if not path.startswith("/desk/"):
            return self._answer(request, INBOUND_SECONDS if path.startswith("/webhooks/inbound/") else SECONDS)
        if not self._desk.acquire(blocking=False):
            log.warning("desk_busy", path=path)
            return unavailable(request, busy=True)
        try:
            return self._answer(request, DESK_SECONDS)
        finally:
            self._desk.release()

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """What a view raised because the database is away, full, frozen or overrun with connections."""
        return of_error(request, exception)

    def _answer(self, request: HttpRequest, seconds: float) -> HttpResponseBase:
        with patience.at_most(seconds):
            response = self._get_response(request)
        if connection.connection is not None and connection.connection.closed:
            # Its time was over. Whoever comes next in this thread needs another.
            connection.close()
        if response.status_code == 503:
            response.headers.setdefault("Retry-After", str(RETRY_AFTER))
        return response


def of_error(request: HttpRequest, error: BaseException | None) -> HttpResponse | None:
    """The answer to a request that the database did not serve; None when the error is another one."""
    if not isinstance(error, OperationalError | InterfaceError):
        return None
    log.warning("database_did_not_serve", path=request.path_info.split("/")[1], error=str(error).strip())
    watch.doubt()
    return unavailable(request)


def unavailable(request: HttpRequest, *, busy: bool = False) -> HttpResponse:
    """503: come again. Without asking the database for anything, whoever asks."""
    posted = request.method not in {"GET", "HEAD"}
    context = {"busy": busy, "posted": posted, "seconds": RETRY_AFTER}
    response = page("web/public/unavailable.html", None, context)
    response.status_code = 503
    response["Retry-After"] = str(RETRY_AFTER)
    if not posted:
        # A person need not do anything.
        response["Refresh"] = str(RETRY_AFTER)
    # One line in the log is enough.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response


def limit_statements(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    """For each new connection of a request: the server gives up when we have."""
    if patience.remaining() is not None:
        with connection.cursor() as cursor:
            cursor.execute(_LIMITS)
