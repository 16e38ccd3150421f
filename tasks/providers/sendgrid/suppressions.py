"""Reading SendGrid's own lists of addresses it no longer mails, on the transport's connections.

GET /v3/suppression/{bounces,spam_reports,invalid_emails,unsubscribes} with start_time, limit (at most 500) and offset;
the newest first, so that what is added meanwhile comes twice rather than never. Blocks are not read: they are soft.
"""

from collections.abc import Callable, Mapping

import orjson
import structlog
import urllib3

from subscribers.addresses import stored_form
from subscribers.models import Suppression
from tasks.http.deadline import BodyBegunError
from tasks.providers.base import ListUnavailableError, SuppressedAddress, SuppressionList
from tasks.providers.events import EventKind
from tasks.providers.sendgrid.transport import SendGridTransport

log = structlog.get_logger(__name__)

#: Requests for one page before it is left to the next night, and the longest wait between two, in seconds.
TRIES = 3
LONGEST_WAIT = 20.0
_Reason = Suppression.Reason


class SendGridSuppressionLists:
    lists: tuple[SuppressionList, ...] = (
        SuppressionList(
            name="bounces", reason=_Reason.HARD_BOUNCE.value, kinds=(EventKind.HARD_BOUNCE, EventKind.DROPPED)
        ),
        SuppressionList(
            name="spam_reports", reason=_Reason.COMPLAINT.value, kinds=(EventKind.COMPLAINT, EventKind.DROPPED)
        ),
        SuppressionList(name="invalid_emails", reason=_Reason.INVALID.value, kinds=(EventKind.DROPPED,)),
        SuppressionList(
            name="unsubscribes", reason=_Reason.UNSUBSCRIBED.value, kinds=(EventKind.UNSUBSCRIBED, EventKind.DROPPED)
        ),
    )
    page_size = 500

    def page(
        self,
        transport: SendGridTransport,
        name: str,
        *,
        since: int | None,
        offset: int,
        wait: Callable[[float], None],
    ) -> list[SuppressedAddress]:
        """Waits and tries again where SendGrid is busy or away."""
        params: dict[str, int] = {"limit": self.page_size, "offset": offset}
        if since is not None:
            params["start_time"] = since
        why = ""
        for number in range(1, TRIES + 1):
            status, headers, body = _get(transport, name, params)
            if status == 200:
                return _entries(name, body)
            why = (
                f"{name}: HTTP {status}: {body[:200].decode(errors='replace')}"
                if status
                else f"{name}: {body.decode()}"
            )
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
    retry_after = str(headers.get("Retry-After") or "").strip()
    return min(float(retry_after) if retry_after.isdecimal() else 2.0**number, LONGEST_WAIT)


def _entries(name: str, body: bytes) -> list[SuppressedAddress]:
    try:
        return [
            SuppressedAddress(stored_form(str(item["email"])), int(item["created"]), str(item.get("reason") or ""))
            for item in orjson.loads(body)
        ]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ListUnavailableError(f"{name}: the answer is no list of addresses: {error}") from error
