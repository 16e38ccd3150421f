"""Sends through SMTP: submitted, awaited and checked."""

from collections import Counter
from typing import Any

from tasks.models import Batch, Delivery, MailboxDomain, Send, TransportState
from tasks.providers.smtp.transport import SmtpTransport
from tasks.sends.counts import counts
from tasks.submission import posting
from tests.smtp_server import CLOSE


def submit_all(send: Send, transport: SmtpTransport) -> None:
    for batch_id in list(Batch.objects.filter(send=send, status="pending").order_by("pk").values_list("pk", flat=True)):
        posting.submit_batch(batch_id, transport=transport)


def no_wait(send: Send) -> None:
    Batch.objects.filter(send=send).update(not_before="2020-01-01T00:00:00Z")
    TransportState.objects.update(throttled_until=None)
    MailboxDomain.objects.update(throttled_until="2020-01-01T00:00:00Z")


def check(send: Send, **expected: Any) -> None:
    """The counts, that they add up, and that batches and deliveries agree."""
    told = counts(send)
    assert told.adds_up, told
    for name, number in expected.items():
        assert getattr(told, name) == number, (name, told)
    sizes = dict(Batch.objects.filter(send=send).values_list("pk", "size"))
    assert sizes == Counter(Delivery.objects.filter(send_id=send.pk).values_list("batch_id", flat=True))


def once(stage: str, after: int, answer: str) -> Any:
    left = [1]

    def script(where: str, accepted: int, _recipient: str) -> str:
        if where == stage and accepted >= after and left[0]:
            left[0] = 0
            return answer
        return ""

    return script


def gone(stage: str, after: int, answer: str) -> Any:
    """As `once`; from then on nobody answers at that address."""
    left = [True]

    def script(where: str, accepted: int, _recipient: str) -> str:
        if where == "greeting" and not left[0]:
            return CLOSE
        if where == stage and accepted >= after and left[0]:
            left[0] = False
            return answer
        return ""

    return script
