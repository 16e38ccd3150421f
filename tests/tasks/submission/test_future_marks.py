"""A clock that was an hour ahead delays nobody by more than a minute (issue 13, point 10)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tasks.models import (
    Alarm,
    Batch,
    MailboxDomain,
    Receipt,
    Send,
    TransactionalMail,
    TransportState,
    WarmUp,
    WebhookState,
)
from tasks.preparation import preparing
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.reconciliation import silence
from tasks.submission import future_marks, recovery
from tasks.throttling import breaker, mailbox_domains, throttle
from tests.factories import make_attempt, make_batch, make_prepared_send, make_send

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
_TABLES = (
    "tasks_batch",
    "tasks_send",
    "tasks_transportstate",
    "tasks_mailboxdomain",
    "tasks_letter",
    "tasks_receipt",
    "tasks_warmup",
    "tasks_attempt",
    "tasks_webhookstate",
)


def put_back(ahead: timedelta = HOUR) -> None:
    """The clock was ahead by so much until now: what is stored was written then."""
    with connection.cursor() as cursor:
        for table in _TABLES:
            cursor.execute(
                "SELECT column_name FROM information_schema.columns"
                " WHERE table_name = %s AND data_type = 'timestamp with time zone'",
                [table],
            )
            moved = ", ".join(f"{name} = {name} + %(ahead)s" for (name,) in cursor.fetchall())
            cursor.execute(f"UPDATE {table} SET {moved}", {"ahead": ahead})


def refused(send: Send, *, wait: float) -> None:
    """All its batches were tried and wait so many seconds."""
    now = timezone.now()
    Batch.objects.filter(send=send).update(
        attempts=1, claimed_at=now, enqueued_at=now, not_before=now + timedelta(seconds=wait)
    )


def soon(moment: Any) -> bool:
    return moment is None or moment <= timezone.now() + MINUTE


def test_what_was_tried_by_a_clock_ahead_is_tried_again_when_it_was_to_be(transport: SendGridTransport) -> None:
    send = make_prepared_send(2)
    refused(send, wait=40.0)
    throttle.throttle(transport.name, seconds=None, why="It asked to wait.")
    for _ in range(3):
        breaker.count_unknown(transport.name)
    mail = TransactionalMail.objects.create(
        kind="test", to_email="a@example.com", from_email="b@example.com", not_before=timezone.now() + MINUTE / 2
    )
    receipt = Receipt.objects.create(body=b"[]")
    mailbox_domains.throttle("slow.example.net", why="450 4.7.0 later")
    put_back()

    recovery.recover()

    batch = Batch.objects.get(send=send)
    assert timezone.now() + MINUTE / 3 < batch.not_before <= timezone.now() + MINUTE
    state = TransportState.objects.get(name=transport.name)
    assert soon(state.throttled_until)
    assert soon(state.probed_at)
    assert soon(MailboxDomain.objects.get().throttled_until)
    mail.refresh_from_db()
    assert soon(mail.not_before)
    receipt.refresh_from_db()
    assert soon(receipt.received_at)
    (alarm,) = Alarm.objects.filter(code="clock_ahead")
    assert "ahead by 60 minutes or more" in alarm.message
    assert future_marks.put_right() == 0.0


def test_a_send_that_was_prepared_then_goes_out(settings: Any) -> None:
    settings.UNDO_SECONDS = 20
    send = make_prepared_send(2)
    put_back()

    assert 3590 < future_marks.put_right() <= 3601

    assert soon(Batch.objects.get(send=send).not_before)
    send.refresh_from_db()
    assert soon(send.undo_until)
    assert soon(send.prepared_at)


def test_one_that_was_to_go_out_at_once_does() -> None:
    send = make_send(2, scheduled_at=timezone.now() - MINUTE)
    later = make_send(scheduled_at=timezone.now() + 5 * HOUR)
    put_back()
    assert preparing.prepare(send.pk) is None

    future_marks.put_right()

    assert preparing.prepare(send.pk) is not None
    later.refresh_from_db()
    assert later.scheduled_at > timezone.now() + 5 * HOUR, "somebody chose it"


def test_readers_own_clocks_are_left_alone(settings: Any) -> None:
    settings.UNDO_SECONDS = 0
    send = make_prepared_send(2, local_at="2999-12-04T08:00:00")
    due = timezone.now() + 9 * HOUR
    Batch.objects.filter(send=send).update(not_before=due)
    put_back()
    Batch.objects.filter(send=send).update(not_before=due)

    future_marks.put_right()

    assert Batch.objects.get(send=send).not_before == due


def test_a_claim_of_then_becomes_stale_in_time() -> None:
    send = make_prepared_send(2)
    Batch.objects.filter(send=send).update(status="submitting", attempts=1, claimed_at=timezone.now())
    put_back()

    future_marks.put_right()

    assert soon(Batch.objects.get(send=send).claimed_at)


def test_a_refusal_that_came_after_the_clock_was_put_ahead_is_waited_for_as_long_as_it_said() -> None:
    """Claimed by the right time, and answered by the wrong one."""
    send = make_prepared_send(2)
    refused(send, wait=40.0)
    ahead = timezone.now() + HOUR
    batch = Batch.objects.get(send=send)
    make_attempt(batch, number=1, outcome="refused", fenced_at=batch.claimed_at, finished_at=ahead)
    Batch.objects.filter(pk=batch.pk).update(not_before=ahead + timedelta(seconds=40))
    make_attempt(size=1, outcome="unknown", fenced_at=ahead, finished_at=ahead)

    assert future_marks.put_right() > 3500

    assert timezone.now() + MINUTE / 3 < Batch.objects.get(send=send).not_before <= timezone.now() + MINUTE


def test_doubts_of_then_are_judged_as_of_now(transport: SendGridTransport) -> None:
    """Neither their grace nor their hour ends an hour late, nothing accepted before them passes for later, and no refusal of then is ahead of all."""
    now = timezone.now()
    for seconds in (61, 62, 63):
        make_attempt(
            size=9, heard=9, transport=transport.name, outcome="accepted", fenced_at=now - timedelta(seconds=seconds)
        )
    doubt = make_batch(size=2, status=Batch.Status.UNKNOWN)
    attempt = make_attempt(doubt, transport=transport.name, outcome="unknown", fenced_at=now - MINUTE / 2)
    attempt.finished_at = now - MINUTE / 3
    attempt.save()
    Batch.objects.filter(pk=doubt.pk).update(attempt=attempt.pk)
    WebhookState.objects.create(provider="sendgrid", refused_at=now)
    put_back()

    assert future_marks.put_right() > 3500
    assert future_marks.put_right() == 0.0

    (judged,) = silence.doubts_of(transport.name, grace=60)
    assert 0 <= judged.age < 60
    assert judged.later_heard == 0
    assert soon(WebhookState.objects.get().refused_at)


def test_a_young_domain_waits_until_midnight_and_no_longer() -> None:
    make_prepared_send(1)
    tomorrow = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    WarmUp.objects.create(domain="example.com", starts_on=timezone.now(), ceilings=[1], throttled_until=tomorrow)
    put_back(timedelta(days=1))

    future_marks.put_right()

    assert WarmUp.objects.get().throttled_until == tomorrow


def test_a_wait_that_is_as_long_as_it_should_be_stays(transport: SendGridTransport) -> None:
    send = make_prepared_send(2)
    refused(send, wait=3000.0)
    throttle.throttle(transport.name, seconds=3000.0, why="It asked to wait.")
    before = Batch.objects.get(send=send).not_before

    assert future_marks.put_right() == 0.0

    assert Batch.objects.get(send=send).not_before == before
    assert not Alarm.objects.exists()
