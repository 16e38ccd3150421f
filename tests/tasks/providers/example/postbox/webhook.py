"""Postbox's events: a line for each, "<word> <delivery> <attempt> <address>", signed with a shared secret."""

import hmac
from collections.abc import Mapping
from hashlib import blake2b, sha256
from typing import BinaryIO
from uuid import UUID

from tasks.providers.events import EventKind, Parsed, ReportedEvent

SECRET = b"between us"
KINDS = {"taken": EventKind.PROCESSED, "read": EventKind.DELIVERED, "returned": EventKind.HARD_BOUNCE}


def signature_of(body: bytes) -> str:
    return hmac.new(SECRET, body, sha256).hexdigest()


class PostboxWebhook:
    def is_configured(self) -> bool:
        return bool(SECRET)

    def is_authentic(self, body: BinaryIO, headers: Mapping[str, str]) -> bool:
        return hmac.compare_digest(headers.get("X-Postbox-Signature", ""), signature_of(body.read()))

    def parse(self, body: bytes) -> Parsed:
        events, problems = [], []
        for line in body.decode().splitlines():
            try:
                events.append(_event(line))
            except ValueError:
                problems.append(f"not an event: {line[:80]}")
        return Parsed(events, problems)


def _event(line: str) -> ReportedEvent:
    word, delivery, attempt, address = line.split(" ")
    send, _, subscriber = delivery.partition(".")
    return ReportedEvent(
        key=blake2b(line.encode(), digest_size=16).digest(),
        kind=KINDS.get(word, EventKind.OTHER).value,
        at=None,
        address=address,
        send_id=int(send),
        subscriber_id=int(subscriber),
        attempt=UUID(attempt),
        url="",
        agent="",
        reason="",
    )
