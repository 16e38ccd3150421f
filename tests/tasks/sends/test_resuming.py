"""What waited after refusals is due once its send is resumed; what waits for anything else keeps its moment."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from tasks.audience import freezing
from tasks.models import Batch, Send
from tasks.preparation import preparing
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.sends import control, scheduling, undo
from tasks.submission import posting
from tasks.submission.claiming import Claim, Wait, claim_next
from tests.factories import make_approval, make_list, make_prepared_send, make_subscriber
from tests.tasks.conftest import FakeQueue

pytestmark = pytest.mark.django_db

SOON = timedelta(seconds=60)


def status_of(send: Send) -> str:
    return Send.objects.values_list("status", flat=True).get(pk=send.pk)


def submit_all(send: Send, transport: SendGridTransport) -> None:
    for batch_id in Batch.objects.filter(send=send).order_by("pk").values_list("pk", flat=True):
        posting.submit_batch(batch_id, transport=transport)


@pytest.fixture
def local_send() -> Send:
    """At the readers' local time, which is past for one of two and in three hours for the one in Lima."""
    approval = make_approval()
    readers = make_list(approval.edition.publication)
    make_subscriber(readers, timezone="Asia/Tokyo")
    make_subscriber(readers, timezone="America/Lima")
    lima = timezone.now().astimezone(ZoneInfo("America/Lima")) + timedelta(hours=3)
    send = scheduling.schedule(approval.edition, lists=[readers], local_at=lima.replace(microsecond=0, tzinfo=None))
    Send.objects.update(scheduled_at=timezone.now())
    assert preparing.prepare(send.pk)
    return send


def pause_and_resume(send: Send) -> None:
    assert control.pause(send.pk, "lunch", who="bob")
    assert control.resume(send.pk, who="bob")


def moments(send: Send) -> list[datetime]:
    return list(Batch.objects.filter(send=send).order_by("pk").values_list("not_before", flat=True))


def test_what_was_refused_many_times_goes_out_as_soon_as_the_send_is_resumed(
    transport: SendGridTransport, fault: Any, fake_queue: FakeQueue
) -> None:
    fault("credits-exceeded", times=1)
    send = make_prepared_send(2)
    Batch.objects.update(stalls=20)
    submit_all(send, transport)
    batch = Batch.objects.get()
    assert (status_of(send), batch.stalls) == ("paused", 21)
    assert batch.not_before > timezone.now() + timedelta(minutes=3)
    fake_queue.messages.clear()

    assert control.resume(send.pk, who="bob")

    batch.refresh_from_db()
    assert (batch.stalls, batch.not_before <= timezone.now()) == (0, True)
    assert fake_queue.batches == [batch.pk], "a worker is woken"
    claim = claim_next(attempt=uuid4(), transport=transport.name)
    assert isinstance(claim, Claim)
    assert claim.batch_id == batch.pk


def test_then_only_the_first_batch_goes_and_the_others_follow_its_answer(
    monkeypatch: pytest.MonkeyPatch, settings: Any, transport: SendGridTransport, fault: Any, fake_queue: FakeQueue
) -> None:
    monkeypatch.setattr(freezing, "BATCH_SIZE", 4)
    settings.CANARY = 3
    fault("credits-exceeded", times=1)
    send = make_prepared_send(10)
    assert send.canary_batch
    Batch.objects.filter(pk=send.canary_batch).update(stalls=20)
    submit_all(send, transport)
    fake_queue.messages.clear()

    assert control.resume(send.pk, who="bob")

    assert fake_queue.batches == [send.canary_batch]
    submit_all(send, transport)
    assert status_of(send) == "sent"


def test_whoever_resumes_twice_changes_nothing_more(transport: SendGridTransport, fault: Any) -> None:
    fault("credits-exceeded", times=1)
    send = make_prepared_send(1)
    submit_all(send, transport)
    assert control.resume(send.pk, who="bob")
    before = moments(send)

    assert not control.resume(send.pk, who="bob")
    pause_and_resume(send)

    assert moments(send) == before
    submit_all(send, transport)
    assert status_of(send) == "sent"


def test_a_reader_at_local_time_is_never_mailed_early(local_send: Send, transport: SendGridTransport) -> None:
    before = moments(local_send)
    assert max(before) > timezone.now() + timedelta(hours=2)

    pause_and_resume(local_send)

    assert moments(local_send) == before
    submit_all(local_send, transport)
    assert sorted(Batch.objects.values_list("status", flat=True)) == ["pending", "submitted"]


def test_nor_where_a_clock_that_was_ahead_let_a_worker_claim_it(local_send: Send) -> None:
    Batch.objects.update(attempts=1)
    before = moments(local_send)

    pause_and_resume(local_send)

    assert moments(local_send) == before


def test_a_local_time_that_has_come_is_not_waited_for_again(
    local_send: Send, transport: SendGridTransport, fault: Any
) -> None:
    fault("credits-exceeded", times=1)
    due = Batch.objects.get(not_before__lte=timezone.now())
    Batch.objects.filter(pk=due.pk).update(stalls=20)
    submit_all(local_send, transport)

    assert control.resume(local_send.pk, who="bob")

    due.refresh_from_db()
    assert due.not_before <= timezone.now()
    assert max(moments(local_send)) > timezone.now() + timedelta(hours=2)


def test_the_time_for_taking_it_back_is_kept(settings: Any, transport: SendGridTransport) -> None:
    settings.UNDO_SECONDS = 60
    send = make_prepared_send(2)

    pause_and_resume(send)

    assert moments(send) == [send.undo_until]
    assert claim_next(attempt=uuid4(), transport=transport.name) is None
    undo.undo(send.pk)


@pytest.mark.parametrize(
    "fields",
    [{"mailbox_domain": "slow.example", "stalls": 3}, {"rounds": 2}],
    ids=["their domain is waited for", "greylisted"],
)
def test_readers_whose_own_server_told_them_to_come_later_wait_on(fields: dict[str, Any]) -> None:
    send = make_prepared_send(2)
    Batch.objects.update(attempts=3, not_before=timezone.now() + SOON, **fields)
    before = moments(send)

    pause_and_resume(send)

    assert moments(send) == before
    assert Batch.objects.get().stalls == fields.get("stalls", 0)


def test_what_the_provider_asked_to_wait_is_waited_on(transport: SendGridTransport, fault: Any) -> None:
    fault("rate-limit", retry_after=60, times=1)
    send = make_prepared_send(1)
    submit_all(send, transport)

    pause_and_resume(send)

    assert isinstance(claim_next(attempt=uuid4(), transport=transport.name), Wait)
