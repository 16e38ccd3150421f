"""Reading SendGrid's own lists of addresses it no longer mails, on the transport's connections.

GET /v3/suppression/{bounces,spam_reports,invalid_emails,unsubscribes} with start_time, limit (at most 500) and offset;
the newest first, so that what is added meanwhile comes twice rather than never. Blocks are not read: they are soft.
"""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import orjson
import structlog
import urllib3

from newsdesk.core.errors import ProviderError
from tasks.http.deadline import BodyBegunError
from tasks.providers.sendgrid.transport import SendGridTransport

log = structlog.get_logger(__name__)

LISTS = ("bounces", "spam_reports", "invalid_emails", "unsubscribes")
PAGE = 500
#: Requests for one page before it is left to the next night, and the longest wait between two, in seconds.
TRIES = 3
LONGEST_WAIT = 20.0


class Entry(NamedTuple):
    #: In lower case.
    address: str
    #: Unix seconds.
    created: int
    #: The receiving server's words; empty where SendGrid keeps none.
    reason: str


class ListUnavailableError(ProviderError):
    """SendGrid did not give a page of a list; the words say why."""


def page(
    transport: SendGridTransport,
    name: str,
    *,
    since: int | None,
    offset: int,
    wait: Callable[[float], None] = time.sleep,
) -> list[Entry]:
    """Up to PAGE entries of a list from `offset` on, of those made at `since` (Unix seconds) or later.

    Waits and tries again where SendGrid is busy or away. Raises ListUnavailableError.
    """
    params: dict[str, int] = {"limit": PAGE, "offset": offset}
    if since is not None:
        params["start_time"] = since
    why = ""
    for number in range(1, TRIES + 1):
        status, headers, body = _get(transport, name, params)
        if status == 200:
            return _entries(name, body)
        why = f"{name}: HTTP {status}: {body[:200].decode(errors='replace')}" if status else f"{name}: {body.decode()}"
        if status and status != 429 and status < 500:
            break
        if number < TRIES:
            log.info("suppression_list_tried_again", list=name, status=status or None)
            wait(_pause(headers, number))
    raise ListUnavailableError(why)


def _get(transport: SendGridTransport, name: str, params: Mapping[str, int]) -> tuple[int, Mapping[str, str], bytes]:
    """Status (0 = no answer; then the body says why), headers, body."""
    try:
        answer = transport.api.client.suppression._(name).get(query_params=dict(params))
    except (BodyBegunError, urllib3.exceptions.HTTPError, OSError) as error:
        return 0, {}, f"{type(error).__name__}: {error}"[:300].encode()
    return answer.status, answer.headers, answer.data


def _pause(headers: Mapping[str, str], number: int) -> float:
    """Seconds: what the answer asks for, else doubling."""
    asked = str(headers.get("Retry-After") or "").strip()
    return min(float(asked) if asked.isdecimal() else 2.0**number, LONGEST_WAIT)


def _entries(name: str, body: bytes) -> list[Entry]:
    try:
        return [
            Entry(str(item["email"]).strip().lower(), int(item["created"]), str(item.get("reason") or ""))
            for item in orjson.loads(body)
        ]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ListUnavailableError(f"{name}: the answer is no list of addresses: {error}") from error
