"""A send's first batch is small and alone: its answer decides before the others are claimed."""

from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import F

from sandbox.server import Sandbox
from subscribers.models import Subscriber
from tasks.audience import freezing
from tasks.models import Batch, Delivery, Send
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.sends import control
from tasks.sends.counts import counts
from tasks.submission import posting, recovery
from tasks.submission.claiming import Claim, claim_batch, claim_next
from tasks.submission.worker_loop import WorkerLoop
from tasks.throttling import canary, mailbox_domains
from tests.factories import make_prepared_send
from tests.tasks.conftest import FakeQueue
from tests.waiting import LONG

pytestmark = pytest.mark.django_db


@pytest.fixture
def send(monkeypatch: pytest.MonkeyPatch, settings: Any, fake_queue: FakeQueue) -> Send:
    """Ten readers: a canary of one, then batches of four, four and one."""
    monkeypatch.setattr(freezing, "BATCH_SIZE", 4)
    settings.CANARY = 1
    return make_prepared_send(10)


def canary_of(send: Send) -> Batch:
    assert send.canary_batch
    return Batch.objects.get(pk=send.canary_batch)


def run_loop(transport: SendGridTransport) -> None:
    WorkerLoop(transport, connections=3, seconds=LONG).run()


def test_the_first_batch_is_small(send: Send) -> None:
    assert canary_of(send).size == 1
    assert sorted(Batch.objects.values_list("size", flat=True)) == [1, 1, 4, 4]
    by_batch = Counter(Delivery.objects.filter(send_id=send.pk).values_list("batch_id", flat=True))
    assert by_batch == dict(Batch.objects.values_list("pk", "size"))


def test_a_send_of_one_batch_has_none(settings: Any) -> None:
    settings.CANARY = 1

    send = make_prepared_send(3)

    assert send.canary_batch is None
    assert Batch.objects.get().size == 3


@pytest.mark.parametrize(("readers", "most", "expected"), [(4, 1, 0), (5, 1, 1), (5, 3, 3), (5, 9, 4), (5, 0, 0)])
def test_it_is_smaller_than_a_send_and_never_larger_than_a_batch(
    readers: int, most: int, expected: int, settings: Any
) -> None:
    settings.CANARY = most

    assert canary.size(readers, batch_size=4) == expected


def test_nothing_else_is_claimed_or_woken_before_it_has_an_answer(
    send: Send, transport: SendGridTransport, fake_queue: FakeQueue
) -> None:
    assert fake_queue.batches == [send.canary_batch]
    others = list(Batch.objects.exclude(pk=send.canary_batch).values_list("pk", flat=True))
    claim = claim_next(attempt=uuid4(), transport=transport.name)
    assert isinstance(claim, Claim)
    assert (claim.batch_id, claim.is_canary) == (send.canary_batch, True)

    assert claim_next(attempt=uuid4(), transport=transport.name) is None
    assert claim_batch(others[0], attempt=uuid4(), transport=transport.name) is None
    recovery.wake_for_due(wake_all=True)
    assert fake_queue.batches == [send.canary_batch]

    Batch.objects.update(claimed_at="2020-01-01T00:00:00Z")
    recovery.release_abandoned()
    posting.submit_batch(claim.batch_id, transport=transport)
    assert set(fake_queue.batches) == {send.canary_batch, *others}
    assert claim_batch(others[0], attempt=uuid4(), transport=transport.name) is not None


def test_a_loop_goes_on_when_the_canary_is_accepted(send: Send, transport: SendGridTransport, sandbox: Sandbox) -> None:
    run_loop(transport)

    assert (counts(send).submitted, counts(send).status) == (10, "sent")
    assert sandbox.ledger.counts() == {"requests": 4, "accepted": 10, "distinct": 10, "duplicates": 0}


def test_a_canary_left_without_an_answer_lets_the_others_go(
    send: Send, transport: SendGridTransport, fault: Any
) -> None:
    fault("accept-then-close", times=1)

    run_loop(transport)

    assert (counts(send).submitted, counts(send).unknown) == (9, 1)


def test_what_is_refused_on_principle_is_refused_once(
    send: Send, transport: SendGridTransport, sandbox: Sandbox, fault: Any
) -> None:
    wrong = {"errors": [{"message": "bad header", "field": "personalizations.0.headers.List-Unsubscribe"}]}
    fault("answer", status=400, json=wrong, times=1)

    run_loop(transport)

    send.refresh_from_db()
    assert (send.status, counts(send).pending, counts(send).failed) == (Send.Status.PAUSED, 10, 0)
    assert sandbox.ledger.counts()["requests"] == 0
    assert list(Batch.objects.filter(attempts__gt=0).values_list("pk", flat=True)) == [send.canary_batch]

    assert control.resume(send.pk)
    Batch.objects.update(not_before=send.prepared_at)
    run_loop(transport)
    assert counts(send).submitted == 10


def test_another_send_does_not_wait_for_it(send: Send, transport: SendGridTransport, settings: Any) -> None:
    settings.CANARY = 0
    other = make_prepared_send(2)
    assert claim_batch(send.canary_batch or 0, attempt=uuid4(), transport=transport.name)

    claim = claim_next(attempt=uuid4(), transport=transport.name)

    assert isinstance(claim, Claim)
    assert claim.send_id == other.pk


def test_a_canary_is_no_larger_than_a_batch(settings: Any) -> None:
    settings.CANARY = 20

    assert [canary.size(readers, batch_size=10) for readers in (10, 11)] == [0, 10]
    assert canary.size(2000, batch_size=1000) == 20


@pytest.mark.parametrize("all_of_them", [True, False])
def test_it_goes_even_where_its_readers_mailbox_provider_is_waited_for(
    send: Send, transport: SendGridTransport, all_of_them: bool
) -> None:
    """Set apart as a whole, it had no answer, and the others went without one."""
    first = Delivery.objects.get(batch_id=canary_of(send).pk, send_id=send.pk).subscriber_id
    Subscriber.objects.filter(pk=first).update(email="ada@slow.example")
    mailbox_domains.throttle("slow.example", why="later")
    if not all_of_them:
        other = Delivery.objects.filter(send_id=send.pk).exclude(subscriber_id=first)[0]
        Delivery.objects.filter(pk=other.pk).update(batch_id=canary_of(send).pk)
        Batch.objects.filter(pk=other.batch_id).update(size=F("size") - 1)
        Batch.objects.filter(pk=send.canary_batch).update(size=2)

    request = posting.begin(transport)

    assert isinstance(request, posting.Request)
    assert request.claim.batch_id == send.canary_batch
    assert (first in request.built.subscriber_ids) is all_of_them
    assert posting.begin(transport) is None, "it is not answered yet"
