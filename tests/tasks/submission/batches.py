"""One batch of one send, submitted through the worker's own functions."""

from tasks.models import Batch, Delivery, Send
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.submission import posting


def only_batch(send: Send) -> Batch:
    return Batch.objects.get(send=send)


def submit(send: Send, transport: SendGridTransport) -> Batch:
    posting.submit_batch(only_batch(send).pk, transport=transport)
    return only_batch(send)


def readers_of(send: Send) -> list[int]:
    return list(
        Delivery.objects.filter(send_id=send.pk).order_by("subscriber_id").values_list("subscriber_id", flat=True)
    )
