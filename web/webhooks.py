"""`/webhooks/<provider>`: verify, store, answer. What the events mean is worked out later, by `tasks.feedback`.

A bad signature is the caller's fault (403), anything else is ours (5xx), so that the provider tries again for a day. The
answers have no body: they tell nobody what was wrong.
"""

from collections.abc import Mapping
from typing import BinaryIO

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from tasks import queue
from tasks.feedback import inbox
from tasks.feedback.refusals import refusals_of
from tasks.providers import registry
from tasks.providers.base import TellsCallsApart, Webhook
from web.bodies import body_on_disk
from web.public_pages import not_found

log = structlog.get_logger(__name__)


@csrf_exempt
@require_POST
def receive(request: HttpRequest, provider: str) -> HttpResponse:
    """Take one signed call: 204 once it is stored, 403 unsigned, 413 too large, 503 when we cannot take it now."""
    known = registry.provider(provider)
    if known is None or known.webhook is None:
        return not_found()
    refusals = refusals_of(provider)
    try:
        status = _take(request, provider, known.webhook)
    except Exception:
        refusals.note()
        raise
    if status == 204:
        refusals.settle()
    elif status == 503:
        refusals.note()
    return HttpResponse(status=status)


def refuse_unseen(path: str) -> None:
    """Note that whatever is called under this path is refused without a look at it, as while the database is away: it may have been a report."""
    provider = path.removeprefix("/webhooks/").strip("/")
    known = registry.provider(provider)
    if known is not None and known.webhook is not None:
        refusals_of(provider).owe()


def _take(request: HttpRequest, provider: str, webhook: Webhook) -> int:
    if not webhook.is_configured():
        return 503

    def note_what_is_signed(body: BinaryIO) -> None:
        # What was not signed was no report: a stranger must not be able to keep silence from being believed.
        if webhook.is_authentic(body, request.headers):
            refusals_of(provider).note()

    try:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        with body_on_disk(request, most, look_at_too_large=note_what_is_signed) as body:
            return _keep(body, request.headers, provider, webhook)
    except RequestDataTooBig:
        return 413
    except UnreadablePostError:
        return 400
    except (DatabaseError, OSError) as error:
        log.error("receipt_not_stored", error=str(error))  # noqa: TRY400 - the provider tries again
        return 503


def _keep(body: BinaryIO, headers: Mapping[str, str], provider: str, webhook: Webhook) -> int:
    """Verify and store; nothing is read out of it here. Raises DatabaseError, and OSError."""
    if not webhook.is_authentic(body, headers):
        return 403
    call = webhook.call(headers) if isinstance(webhook, TellsCallsApart) else None
    receipt_id = inbox.store(body, provider=provider, call=call)
    if receipt_id is not None:
        queue.enqueue_receipt(receipt_id)
    return 204
