"""A canary whose readers are told to come later, each for themselves, has been answered: the others go on."""

from typing import Any
from uuid import uuid4

import pytest

from subscribers.models import Subscriber
from tasks.audience import freezing
from tasks.models import Batch, Delivery, Send
from tasks.providers.smtp.transport import SmtpTransport
from tasks.sends import control
from tasks.submission import posting
from tasks.submission.claiming import claim_batch
from tests.factories import make_prepared_send
from tests.smtp_server import CLOSE, Script, SmtpSink
from tests.tasks.conftest import FakeQueue
from tests.tasks.submission.smtp_sends import check, no_wait, submit_all

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture
def send(monkeypatch: pytest.MonkeyPatch, settings: Any, fake_queue: FakeQueue) -> Send:
    """Ten readers: a canary of three, then batches of four and three."""
    monkeypatch.setattr(freezing, "BATCH_SIZE", 4)
    settings.CANARY = 3
    return make_prepared_send(10)


def the_canary_hears(send: Send, words: str) -> Script:
    members = Delivery.objects.filter(send_id=send.pk, batch_id=send.canary_batch)
    addresses = set(Subscriber.objects.filter(pk__in=members.values("subscriber_id")).values_list("email", flat=True))
    return lambda where, _accepted, recipient: words if where == "rcpt" and recipient in addresses else ""


def others(send: Send) -> list[int]:
    return list(Batch.objects.filter(send=send, attempts=0).order_by("pk").values_list("pk", flat=True))


@pytest.mark.parametrize("words", ["451 4.7.1 greylisted", "452 4.2.2 mailbox full"])
def test_the_others_go_on(words: str, send: Send, sink: SmtpSink, smtp: SmtpTransport, fake_queue: FakeQueue) -> None:
    sink.script = the_canary_hears(send, words)
    assert send.canary_batch
    posting.submit_batch(send.canary_batch, transport=smtp)
    check(send, pending=10)

    assert set(others(send)) <= set(fake_queue.batches), "they are woken at once"
    submit_all(send, smtp)
    check(send, submitted=7, pending=3)
    sink.script = lambda *_: ""
    no_wait(send)
    submit_all(send, smtp)
    check(send, submitted=10)


def test_a_sender_who_is_put_off_is_no_answer_about_readers(send: Send, sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = lambda where, _n, _r: "451 4.3.0 queue full" if where == "mail" else ""
    assert send.canary_batch
    posting.submit_batch(send.canary_batch, transport=smtp)

    no_wait(send)
    assert claim_batch(others(send)[0], attempt=uuid4(), transport=smtp.name) is None


def test_nor_is_a_connection_that_ends(send: Send, sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = the_canary_hears(send, CLOSE)
    assert send.canary_batch
    posting.submit_batch(send.canary_batch, transport=smtp)

    no_wait(send)
    assert claim_batch(others(send)[0], attempt=uuid4(), transport=smtp.name) is None


def test_nor_a_server_that_knows_none_of_them(send: Send, sink: SmtpSink, smtp: SmtpTransport) -> None:
    sink.script = the_canary_hears(send, "550 5.1.1 no such user")
    assert send.canary_batch
    posting.submit_batch(send.canary_batch, transport=smtp)
    check(send, pending=10, failed=0)

    assert control.resume(send.pk)
    no_wait(send)
    assert claim_batch(others(send)[0], attempt=uuid4(), transport=smtp.name) is None
