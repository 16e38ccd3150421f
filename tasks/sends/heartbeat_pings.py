"""A service outside is pinged while all is well (NEWSDESK_HEARTBEAT_URL): it tells people when Newsdesk itself no longer can.

The convention is that of healthchecks.io: GET the URL when something went well, URL/start when it begins, URL/fail when it failed. A
ping runs in a thread of its own and never fails or delays its caller.
"""

import threading
from datetime import timedelta
from urllib.parse import urlsplit

import structlog
import urllib3
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from newsdesk.core import redis_client
from tasks.broker_connection import BROKER_ERRORS
from tasks.http.deadline import BodyBegunError, pool_manager
from tasks.models import Send, Slot

log = structlog.get_logger(__name__)

#: Seconds for a whole ping.
TIME = 3.0
#: Seconds within which all workers together report one sweep.
EVERY = 60
#: A due send is prepared within seconds; one that is not needs somebody.
OVERDUE = timedelta(minutes=5)
_KEY = "newsdesk:pinged"


def swept() -> None:
    """Recovery has run: all is well, unless a send is overdue. At most one ping a minute. Raises the database's errors."""
    if settings.HEARTBEAT_URL:
        overdue = Send.objects.filter(status=Send.Status.SCHEDULED, scheduled_at__lt=Now() - OVERDUE).exists()
        _in_a_thread("/fail" if overdue else "", rarely=True)


def started(send_id: int) -> None:
    """The send begins; only a slot's send is reported, here and below. Once the transaction is durable."""
    _report(send_id, "/start")


def finished(send_id: int) -> None:
    """The send is over."""
    _report(send_id, "")


def failed(send_id: int) -> None:
    """Newsdesk paused the send."""
    _report(send_id, "/fail")


def missed() -> None:
    """A slot was missed."""
    if settings.HEARTBEAT_URL:
        transaction.on_commit(lambda: _in_a_thread("/fail"), robust=True)


def _report(send_id: int, what: str) -> None:
    if settings.HEARTBEAT_URL and Slot.objects.filter(send=send_id).exists():
        transaction.on_commit(lambda: _in_a_thread(what), robust=True)


def _in_a_thread(what: str, *, rarely: bool = False) -> None:
    # A daemon: a worker that stops does not wait for it.
    threading.Thread(target=_ping, args=(settings.HEARTBEAT_URL, what, rarely), name="heartbeat", daemon=True).start()


def _ping(url: str, what: str, rarely: bool) -> None:
    if rarely and _pinged_lately():
        return
    parts = urlsplit(url)
    address = parts._replace(path=parts.path.rstrip("/") + what).geturl()
    try:
        with pool_manager(deadline=TIME, connections=1) as pool:
            limit = urllib3.Timeout(total=TIME)
            answer = pool.request("GET", address, timeout=limit, redirect=False, preload_content=False)
            if answer.status >= 300:
                # Whoever has the address can report in our name: only the host is logged.
                log.warning("heartbeat_refused", host=parts.hostname, what=what, status=answer.status)
    except (urllib3.exceptions.HTTPError, BodyBegunError, OSError, ValueError) as error:
        log.warning("heartbeat_not_delivered", host=parts.hostname, what=what, error=type(error).__name__)


def _pinged_lately() -> bool:
    try:
        return not redis_client.client(settings.REDIS_URL).set(_KEY, 1, nx=True, ex=EVERY)
    except BROKER_ERRORS:
        # One ping too many does no harm.
        return False
