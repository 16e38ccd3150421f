"""What SendGrid posts, and a small world for it to speak of."""

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils import timezone

from subscribers.models import Subscriber, Suppression
from tasks.feedback import applying, inbox
from tasks.models import Attempt, Batch, Delivery, Event, Send
from tests import factories

_last_moment = [0]


def _moment() -> int:
    """Unix seconds, each later than the one before: now, or a little ahead. Late events are told by how old they are."""
    _last_moment[0] = max(_last_moment[0] + 1, int(timezone.now().timestamp()))
    return _last_moment[0]


@dataclass(frozen=True)
class World:
    """One submitted batch of one sending send, and its readers."""

    send: Send
    batch: Batch
    attempt: Attempt
    readers: list[Subscriber]

    def report(self, reader: int, event: str, **fields: Any) -> dict[str, Any]:
        """An event about one reader's delivery, a second later than the one before."""
        subscriber = self.readers[reader]
        return {
            "email": subscriber.email,
            "timestamp": _moment(),
            "event": event,
            "sg_event_id": "ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0",
            "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",
            "category": ["weekly", "edition-1"],
            "nd_delivery": f"{self.send.pk}.{subscriber.pk}",
            "nd_attempt": str(self.attempt.pk),
            **fields,
        }

    def late(self, reader: int, event: str, **fields: Any) -> dict[str, Any]:
        """The same without our ids, as asynchronous bounces come."""
        full = self.report(reader, event, sg_message_id="", **fields)
        return {name: value for name, value in full.items() if not name.startswith("nd_")}

    def counts(self) -> dict[str, int]:
        """The batch's counters that are not zero."""
        names = ("delivered", "bounced", "complained", "unsubscribed", "opened", "clicked")
        row = Batch.objects.values(*names).get(pk=self.batch.pk)
        return {name: number for name, number in row.items() if number}

    def seen(self, reader: int) -> int:
        """The bits of Delivery.Seen, without those that are ours alone."""
        key = (self.send.pk, self.readers[reader].pk)
        return Delivery.objects.get(pk=key).seen & 511

    def heard(self) -> int:
        return Attempt.objects.get(pk=self.attempt.pk).heard


def make_world(readers: int = 1, **send_fields: Any) -> World:
    send = factories.make_send(readers, **{"status": Send.Status.SENDING, "prepared_at": timezone.now(), **send_fields})
    batch = factories.make_batch(send, size=max(readers, 1), status=Batch.Status.SUBMITTED, tracked=True)
    attempt = factories.make_attempt(batch, outcome=Attempt.Outcome.ACCEPTED)
    Batch.objects.filter(pk=batch.pk).update(attempt=attempt.pk)
    members = list(Subscriber.objects.filter(subscriptions__list__in=send.lists.all()).order_by("pk"))
    for subscriber in members:
        factories.make_delivery(batch, subscriber)
    return World(send, batch, attempt, members)


def store(*reports: object) -> int:
    """Store one receipt with these events; its id."""
    receipt_id = inbox.store(BytesIO(orjson.dumps(reports)), provider="sendgrid")
    assert receipt_id is not None
    return receipt_id


def deliver(*reports: object) -> applying.Applied:
    """Store one receipt with these events and apply it."""
    return applying.apply_receipt(store(*reports))


def suppressions() -> set[tuple[str, str, int | None]]:
    return set(Suppression.objects.values_list("address", "reason", "publication_id"))


def state() -> dict[str, list[tuple[Any, ...]]]:
    """Everything that applying receipts may change, without the times at which it did."""
    return {
        "events": sorted(
            (bytes(key), *rest)
            for key, *rest in Event.objects.values_list("key", "send_id", "subscriber_id", "kind", "at", "url", "agent")
        ),
        "deliveries": sorted(Delivery.objects.values_list("send_id", "subscriber_id", "seen")),
        "batches": sorted(
            Batch.objects.values_list(
                "pk", "status", "delivered", "bounced", "complained", "unsubscribed", "opened", "clicked"
            )
        ),
        "attempts": sorted(Attempt.objects.values_list("pk", "outcome", "heard")),
        "suppressions": sorted(Suppression.objects.values_list("address", "reason")),
        "subscribed": sorted(Subscriber.objects.values_list("pk", "subscriptions__status")),
    }


class SigningKey:
    """Signs as SendGrid does."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        encoded = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.public = b64encode(encoded).decode()

    def headers(self, body: bytes, timestamp: str = "1600112502") -> dict[str, str]:
        signature = self._key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return {
            "X-Twilio-Email-Event-Webhook-Signature": b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        }
