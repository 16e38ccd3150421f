"""The worker loop against a real sandbox: many requests in flight, each batch once, fair between sends."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection

from newsdesk.core import redis_client
from sandbox.server import Sandbox
from tasks import worker_shutdown
from tasks.attempts.moving import MembersMissingError
from tasks.audience import freezing
from tasks.celery import app
from tasks.database.durability import PATIENCE
from tasks.feedback import applying
from tasks.models import Alarm, Batch, Receipt, Send, TransactionalMail, TransportState, WarmUp
from tasks.providers.base import Accepted, Outcome, Transport
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.sends import control, wake_ups
from tasks.sends.counts import as_json, counts
from tasks.submission import posting
from tasks.submission import worker_loop as worker_loop_module
from tasks.submission.worker_loop import WorkerLoop
from tasks.throttling import warm_up
from tests.factories import make_prepared_send
from tests.tasks.conftest import FakeQueue
from tests.waiting import LONG

pytestmark = pytest.mark.django_db


class Gauge:
    """A transport that notes when each request came and how many were in flight at the same time."""

    name = "gauge"
    reports = False

    def __init__(self, *, together: int = 1) -> None:
        """`together`: the first requests are answered when so many are in flight."""
        self.together = together
        self.posted: list[str] = []
        self.most = self._now = 0
        self._changed = threading.Condition()

    def encode(self, message: Any, recipients: Any, *, attempt: Any) -> str:
        del attempt
        (send,) = {recipient.delivery.partition(".")[0] for recipient in recipients}
        return f"{send}:{len(recipients)}:{message.subject}"

    def post(self, body: str) -> Outcome:
        with self._changed:
            self._now += 1
            self.most = max(self.most, self._now)
            self.posted.append(body)
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self.most >= self.together, LONG)
        time.sleep(0.01)  # one too many would come in now
        with self._changed:
            self._now -= 1
        return Accepted(http_status=202, provider_id="")


def worker_loop(transport: Transport, *, connections: int) -> WorkerLoop:
    """A loop with as much time as it needs."""
    return WorkerLoop(transport, connections=connections, seconds=LONG)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """As many as are wanted at once: none waits for the first (`test_canary`)."""
    settings.CANARY = 0
    monkeypatch.setattr(freezing, "BATCH_SIZE", 2)


@pytest.mark.usefixtures("small_batches")
def test_a_loop_submits_everything_that_is_due(sandbox: Sandbox, transport: SendGridTransport) -> None:
    send = make_prepared_send(9)

    worker_loop(transport, connections=3).run()

    assert counts(send).submitted == 9
    assert counts(send).status == "sent"
    assert sandbox.ledger.counts()["requests"] == 5
    assert sandbox.ledger.counts()["duplicates"] == 0


@pytest.mark.usefixtures("small_batches")
def test_as_many_requests_are_in_flight_as_there_are_connections() -> None:
    send = make_prepared_send(16)
    gauge = Gauge(together=4)

    worker_loop(gauge, connections=4).run()

    assert gauge.most == 4
    assert counts(send).submitted == 16


def test_while_it_claims_looking_up_readers_is_not_dear(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else PostgreSQL reads all subscriptions for each request."""
    costs: list[str] = []

    def begin(transport: Transport) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SHOW random_page_cost")
            costs.extend(cursor.fetchone())

    monkeypatch.setattr(posting, "begin", begin)

    worker_loop(Gauge(), connections=1).run()

    assert costs == ["1.1"]


@pytest.mark.usefixtures("small_batches")
def test_two_sends_alternate() -> None:
    large, small = make_prepared_send(20), make_prepared_send(4)
    gauge = Gauge()

    worker_loop(gauge, connections=2).run()

    order = [int(body.partition(":")[0]) for body in gauge.posted]
    assert order.count(small.pk) == 2
    assert {large.pk, small.pk} <= set(order[:4]), "the small one did not wait for the large one"
    assert max(at for at, send in enumerate(order) if send == small.pk) < 6


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("waiting_errands", [1, None])
def test_what_is_left_when_a_loop_is_over_is_enqueued_again(fake_queue: FakeQueue, waiting_errands: int | None) -> None:
    """Beat's tasks wait for this worker, or the broker does not say."""
    send = make_prepared_send(8)
    fake_queue.messages.clear()
    fake_queue.waiting_errands = waiting_errands

    WorkerLoop(Gauge(), connections=1, seconds=0.0).run()

    assert counts(send).pending == 8
    assert fake_queue.loops == [0.0]


@pytest.mark.usefixtures("small_batches")
def test_a_loop_for_whose_worker_nothing_else_waits_goes_on(fake_queue: FakeQueue) -> None:
    send = make_prepared_send(8)
    fake_queue.messages.clear()

    WorkerLoop(Gauge(), connections=1, seconds=0.0).run()

    assert counts(send).submitted == 8
    assert fake_queue.loops == []


@pytest.mark.usefixtures("small_batches")
def test_a_loop_is_over_before_its_task_is(monkeypatch: pytest.MonkeyPatch, fake_queue: FakeQueue) -> None:
    longest = worker_loop_module.LONGEST_LOOP + worker_loop_module.POST_SECONDS + PATIENCE
    assert longest < app.conf.task_soft_time_limit
    send = make_prepared_send(8)
    fake_queue.messages.clear()
    monkeypatch.setattr(worker_loop_module, "LONGEST_LOOP", 0.0)

    WorkerLoop(Gauge(), connections=1, seconds=0.0).run()

    assert counts(send).pending == 8
    assert fake_queue.loops == [0.0]


@pytest.mark.usefixtures("small_batches")
def test_a_worker_that_shall_stop_settles_what_it_has_and_takes_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    send = make_prepared_send(12)
    gauge = Gauge()
    claimed_when_asked: list[int] = []

    def is_requested() -> bool:
        if gauge.posted and not claimed_when_asked:
            claimed_when_asked.append(Batch.objects.filter(attempts__gt=0).count())
        return bool(claimed_when_asked)

    monkeypatch.setattr(worker_shutdown, "is_requested", is_requested)

    worker_loop(gauge, connections=2).run()

    told = counts(send)
    assert [told.submitted // 2] == claimed_when_asked
    assert told.submitted < 12
    assert (told.submitting, told.submitted + told.pending) == (0, 12)


@pytest.mark.usefixtures("small_batches")
def test_an_error_in_one_batch_does_not_lose_the_outcomes_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    send = make_prepared_send(6)
    begin, calls = posting.begin, iter(range(100))

    def broken(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == 2:
            raise OperationalError("server closed the connection unexpectedly")
        return begin(*args, **kwargs)

    monkeypatch.setattr(posting, "begin", broken)

    with pytest.raises(OperationalError):
        worker_loop(Gauge(together=2), connections=4).run()

    assert (counts(send).submitted, counts(send).pending) == (4, 2)


@pytest.mark.usefixtures("small_batches")
def test_a_cancelled_send_stops_at_the_next_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    send = make_prepared_send(12)
    begin, begun = posting.begin, []

    def then_cancel(*args: Any, **kwargs: Any) -> Any:
        begun.append(begin(*args, **kwargs))
        if len(begun) == 2:
            control.cancel(send.pk)
        return begun[-1]

    monkeypatch.setattr(posting, "begin", then_cancel)
    worker_loop(Gauge(), connections=1).run()

    told = counts(send)
    assert (told.submitted, told.excluded, told.status) == (4, {"cancelled": 8}, "cancelled")


@pytest.mark.usefixtures("small_batches")
def test_receipts_are_applied_between_batches() -> None:
    make_prepared_send(8)
    waiting = [Receipt.objects.create(body=b"[]").pk for _ in range(3)]

    worker_loop(Gauge(), connections=1).run()

    assert not Receipt.objects.filter(pk__in=waiting, applied_at__isnull=True).exists()


@pytest.mark.usefixtures("small_batches")
def test_too_many_requests_hold_everything(sandbox: Sandbox, transport: SendGridTransport, fault: Any) -> None:
    fault("rate-limit", retry_after=30, times=1)
    send = make_prepared_send(8)

    worker_loop(transport, connections=1).run()

    assert sandbox.ledger.counts()["accepted"] == 0
    assert counts(send).pending == 8
    state = TransportState.objects.get(name=transport.name)
    assert "SendGrid asked to wait" in state.throttle_reason
    TransportState.objects.update(throttled_until=None)
    Batch.objects.update(not_before="2020-01-01T00:00:00Z")
    worker_loop(transport, connections=1).run()
    assert counts(send).submitted == 8


def _warm_up(domain: str, *ceilings: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT (statement_timestamp() AT TIME ZONE 'UTC')::date")
        (today,) = cursor.fetchone()
    # The first ceiling holds before it, too: so midnight may pass meanwhile.
    warm_up.change(domain, starts_on=today + timedelta(days=1), ceilings=ceilings)


@pytest.mark.usefixtures("small_batches")
def test_a_warm_up_stops_at_todays_ceiling_and_lets_other_domains_pass() -> None:
    young = make_prepared_send(12, sender_domain="young.example")
    old = make_prepared_send(4, sender_domain="old.example")
    _warm_up("young.example", 7)

    worker_loop(Gauge(), connections=3).run()

    assert (counts(young).submitted, counts(young).pending, counts(young).status) == (6, 6, "sending")
    assert counts(old).submitted == 4
    assert "ceiling of 7" in WarmUp.objects.get(domain="young.example").throttle_reason

    warm_up.change("young.example", starts_on=None, ceilings=())
    worker_loop(Gauge(), connections=3).run()
    assert counts(young).submitted == 12


@pytest.mark.usefixtures("small_batches")
def test_a_refused_request_costs_nothing_of_the_ceiling(transport: SendGridTransport, fault: Any) -> None:
    fault("rate-limit", retry_after=1, times=2)
    send = make_prepared_send(4, sender_domain="young.example")
    _warm_up("young.example", 4)

    for _ in range(3):
        worker_loop(transport, connections=1).run()
        TransportState.objects.update(throttled_until=None)
        Batch.objects.update(not_before="2020-01-01T00:00:00Z")

    assert counts(send).submitted == 4


def test_a_send_is_never_claimed_twice_by_two_loops(transport: SendGridTransport) -> None:
    send = make_prepared_send(3)

    worker_loop(transport, connections=2).run()
    worker_loop(transport, connections=2).run()

    assert Send.objects.get(pk=send.pk).batches.get().attempts == 1


@pytest.mark.usefixtures("small_batches")
def test_three_lost_answers_hold_the_send_and_say_so(transport: SendGridTransport, fault: Any) -> None:
    fault("accept-then-close", times=3)
    send = make_prepared_send(12)

    worker_loop(transport, connections=1).run()

    told = as_json(Send.objects.get(pk=send.pk))
    assert (told["unknown"], told["pending"], told["status"]) == (6, 6, "sending")
    assert "three requests were left without an answer" in str(told["held"])
    alarm = Alarm.objects.get(code="breaker_open")
    assert alarm.cleared_at is None

    TransportState.objects.update(probed_at="2020-01-01T00:00:00Z")
    worker_loop(transport, connections=1).run()

    told = as_json(Send.objects.get(pk=send.pk))
    assert (told["pending"], "held" in told) == (0, False)
    alarm.refresh_from_db()
    assert alarm.cleared_at is not None


@pytest.mark.usefixtures("small_batches")
def test_a_mail_does_not_wait_for_the_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    send = make_prepared_send(40)
    mail = TransactionalMail.objects.create(
        kind="test", to_email="ada@example.com", from_email="news@example.com", subject="[Test] now", html="x", text="x"
    )
    monkeypatch.setattr("tasks.submission.worker_loop.LOOK_INTERVAL", 0.0)

    class Noting(Gauge):
        def encode(self, message: Any, recipients: Any, *, attempt: Any) -> str:
            return "mail" if not recipients[0].delivery else super().encode(message, recipients, attempt=attempt)

    gauge = Noting()
    worker_loop(gauge, connections=2).run()

    assert gauge.posted.index("mail") <= 1
    mail.refresh_from_db()
    assert mail.status == "submitted"
    assert counts(send).submitted == 40


@pytest.mark.usefixtures("small_batches")
def test_an_outcome_that_cannot_be_recorded_does_not_lose_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    send = make_prepared_send(8)
    settle, broken = posting.settle, []

    def breaks_for_one(request: posting.Request, *args: Any, **kwargs: Any) -> None:
        if not broken or broken[0] == request.claim.batch_id:
            broken.append(request.claim.batch_id)
            raise MembersMissingError("its members are not there")
        settle(request, *args, **kwargs)

    monkeypatch.setattr(posting, "settle", breaks_for_one)

    with pytest.raises(MembersMissingError):
        worker_loop(Gauge(together=4), connections=4).run()

    assert (counts(send).submitted, counts(send).submitting) == (6, 2)


@pytest.mark.usefixtures("small_batches")
def test_a_receipt_that_breaks_keeps_no_batch_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    send = make_prepared_send(8)
    receipt = Receipt.objects.create(body=b"[]")

    def breaks(receipt_ids: list[int]) -> None:
        raise KeyError(receipt_ids)

    monkeypatch.setattr(applying, "_apply", breaks)

    worker_loop(Gauge(), connections=1).run()

    assert counts(send).submitted == 8
    assert Receipt.objects.get(pk=receipt.pk).applied_at is None


@pytest.mark.integration
@pytest.mark.usefixtures("valkey_url")
def test_loops_that_end_waiting_do_not_fill_the_broker(
    fake_queue: FakeQueue, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """A worker takes a message with a countdown at once and keeps it until its time: no queue shows how many there are."""
    redis_client.client(settings.REDIS_URL).flushall()
    # So large that its price is not paid for before the last of these loops, nor so large that nobody waits for it.
    monkeypatch.setattr(freezing, "BATCH_SIZE", 58)
    settings.RATE_RECIPIENTS = 1
    settings.CANARY = 0
    # Fewer than the loops below; a hundred of those would outlast that price on a slow machine.
    monkeypatch.setattr(wake_ups, "WORKERS_AT_MOST", 10)
    send = make_prepared_send(3 * 58)
    fake_queue.messages.clear()

    for _ in range(20):
        worker_loop(Gauge(), connections=1).run()

    assert counts(send).submitted == 58
    assert 1 <= len(fake_queue.loops) <= 10
