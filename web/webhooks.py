"""`/webhooks/sendgrid`: verify, store, answer. What the events mean is worked out later, by `tasks.events`.

A bad signature is the caller's fault (403), anything else is ours (5xx), so that SendGrid tries again for a day. The
answers have no body: they tell nobody what was wrong.
"""

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from tasks import queue
from tasks.feedback import inbox, refusals
from tasks.providers.sendgrid.signature import is_signed

log = structlog.get_logger(__name__)

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"


@csrf_exempt
@require_POST
def sendgrid(request: HttpRequest) -> HttpResponse:
    """Take one signed call: 204 once it is stored, 403 unsigned, 413 too large, 503 when we cannot take it now."""
    try:
        status = _take(request)
    except Exception:
        refusals.refusals.note()
        raise
    if status == 204:
        refusals.refusals.settle()
    else:
        refusals.refusals.note()
    return HttpResponse(status=status)


def _take(request: HttpRequest) -> int:
    keys = public_keys()
    if not keys:
        log.error("webhook_without_key", setting="SENDGRID_WEBHOOK_PUBLIC_KEYS")
        return 503
    try:
        body = request.body
    except RequestDataTooBig:
        return 413
    except UnreadablePostError:
        return 400
    signature, timestamp = request.headers.get(SIGNATURE, ""), request.headers.get(TIMESTAMP, "")
    if not is_signed(body, signature=signature, timestamp=timestamp, public_keys=keys):
        return 403
    try:
        receipt_id = inbox.store(body)
    except DatabaseError as error:
        log.error("receipt_not_stored", error=str(error))  # noqa: TRY400 - the provider tries again
        return 503
    queue.enqueue_receipt(receipt_id)
    return 204


def public_keys() -> tuple[str, ...]:
    """The keys that may sign. The sandbox makes its key when it first starts, so its file is read each time (20 µs)."""
    keys: tuple[str, ...] = tuple(settings.SENDGRID_WEBHOOK_PUBLIC_KEYS)
    if settings.USE_SANDBOX:
        keys += tuple(key for key in settings.HOME.sandbox_public_keys() if key and key not in keys)
    return keys
