"""SendGrid's Event Webhook: signed with a key that its page shows, or the sandbox's own."""

import time
from collections.abc import Mapping
from typing import BinaryIO

import structlog
from django.conf import settings

from tasks.providers.base import SignedCall
from tasks.providers.events import Parsed
from tasks.providers.sendgrid import events
from tasks.providers.sendgrid.signature import call_digest, is_signed, is_timestamp

log = structlog.get_logger(__name__)

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"


class SendGridWebhook:
    def is_configured(self) -> bool:
        if public_keys():
            return True
        log.error("webhook_without_key", setting="SENDGRID_WEBHOOK_PUBLIC_KEYS")
        return False

    def is_authentic(self, body: BinaryIO, headers: Mapping[str, str]) -> bool:
        signature, timestamp = headers.get(SIGNATURE, ""), headers.get(TIMESTAMP, "")
        if not is_signed(body, signature=signature, timestamp=timestamp, public_keys=public_keys()):
            return False
        window = settings.WEBHOOK_WINDOW_HOURS * 3600
        if window and abs(time.time() - int(timestamp)) > window:
            log.warning("webhook_outside_window", signed_at=int(timestamp), setting="NEWSDESK_WEBHOOK_WINDOW_HOURS")
            return False
        return True

    def call(self, headers: Mapping[str, str]) -> SignedCall | None:
        timestamp = headers.get(TIMESTAMP, "")
        digest = call_digest(headers.get(SIGNATURE, ""), timestamp)
        return SignedCall(digest=digest, signed_at=int(timestamp)) if digest and is_timestamp(timestamp) else None

    def parse(self, body: bytes) -> Parsed:
        return events.parse(body)


def public_keys() -> tuple[str, ...]:
    """The keys that may sign. The sandbox makes its key when it first starts, so its file is read each time (20 µs)."""
    keys: tuple[str, ...] = tuple(settings.SENDGRID_WEBHOOK_PUBLIC_KEYS)
    if settings.USE_SANDBOX:
        keys += tuple(key for key in settings.HOME.sandbox_public_keys() if key and key not in keys)
    return keys
