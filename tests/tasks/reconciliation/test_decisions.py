"""What a person decides about a batch in doubt, and what is written down of it."""

from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from tasks.models import Alarm, Attempt, Batch, Receipt, Send
from tasks.reconciliation import decisions, settling
from tasks.reconciliation.settling import settle_as_refused
from tests.factories import make_attempt, make_batch, make_prepared_send, make_send

pytestmark = pytest.mark.django_db


def unknown(send: Send | None = None, *, with_attempt: bool = True) -> Batch:
    batch = make_batch(send, size=3, status=Batch.Status.UNKNOWN, attempts=1)
    if with_attempt:
        batch.attempt = make_attempt(batch, outcome="unknown").pk
        batch.save(update_fields=["attempt"])
    return batch


def said(send: Send) -> list[tuple[str, str, str]]:
    return list(send.actions.order_by("pk").values_list("what", "who", "why"))


def test_a_decision_is_on_record_with_its_reason() -> None:
    left, again = unknown(), unknown()

    assert decisions.leave(left.pk, who="ada", why="Nobody answers.")
    assert decisions.resend(again.pk, who="ada")

    assert said(left.send) == [("settled", "ada", f"batch {left.pk}: leave. Nobody answers.")]
    assert said(again.send) == [("settled", "ada", f"batch {again.pk}: resend")]
    again.refresh_from_db()
    assert again.status == "pending"
    fact = Attempt.objects.get(pk=left.attempt).evidence[-1]
    assert (fact["kind"], fact["who"], fact["decided"]) == ("person", "ada", "leave")
    attempt = Attempt.objects.get(batch=again)
    assert (attempt.outcome, attempt.evidence[-1]["decided"]) == ("refused", "resend")


def test_nothing_is_decided_about_a_batch_that_is_in_no_doubt() -> None:
    batch = make_batch(size=3, status=Batch.Status.SUBMITTED)

    assert not decisions.leave(batch.pk, who="ada")
    assert not decisions.resend(batch.pk, who="ada")
    assert said(batch.send) == []


def test_a_batch_without_a_request_can_be_decided_too() -> None:
    left, again = unknown(with_attempt=False), unknown(with_attempt=False)

    assert decisions.leave(left.pk, who="ada")
    assert decisions.resend(again.pk, who="ada")

    again.refresh_from_db()
    assert again.status == "pending"


def test_the_undecided_of_one_send_and_of_all() -> None:
    first = unknown()
    second, third = unknown(first.send), unknown()

    assert decisions.undecided() == [first, second, third]
    assert decisions.undecided(first.send_id) == [first, second]
    decisions.leave(first.pk, who="ada")
    assert decisions.undecided(first.send_id) == [second]


@pytest.mark.parametrize(
    ("status", "becomes"), [("sending", "pending"), ("paused", "pending"), ("cancelled", "cancelled")]
)
def test_what_was_refused_goes_out_again_unless_its_send_was_cancelled(status: str, becomes: str) -> None:
    batch = unknown(make_send(status=status))
    recorded: list[int] = []

    assert settle_as_refused(batch.pk, batch.attempt, fact={"kind": "silence"}, record=lambda: recorded.append(1))
    assert not settle_as_refused(batch.pk, batch.attempt, fact={"kind": "silence"}, record=lambda: recorded.append(2))

    batch.refresh_from_db()
    assert (batch.status, batch.enqueued_at, recorded) == (becomes, None, [1])


def test_readers_whom_another_send_left_out_for_a_doubt_are_told_of_though_an_alarm_was_cleared_before() -> None:
    """Nobody would send them the edition: both sends count them with the other."""
    cancelled = make_prepared_send(1)
    batch = Batch.objects.get(send=cancelled)
    attempt = make_attempt(batch, outcome="unknown").pk
    Batch.objects.filter(pk=batch.pk).update(status=Batch.Status.UNKNOWN, attempt=attempt, attempts=1)
    Send.objects.filter(pk=cancelled.pk).update(status=Send.Status.CANCELLED)
    make_prepared_send(1, approval=cancelled.approval, lists=list(cancelled.lists.all()))
    Alarm.objects.create(code=Alarm.Code.LEFT_OUT, send=cancelled, message="Others.", cleared_at=timezone.now())

    assert settle_as_refused(batch.pk, attempt, fact={"kind": "silence"})

    told = Alarm.objects.get(code=Alarm.Code.LEFT_OUT, cleared_at=None)
    assert (told.send_id, told.message.split()[0]) == (cancelled.pk, "1")


def test_what_is_decided_of_another_request_of_the_batch_does_not_count() -> None:
    batch = unknown()
    other = make_attempt(batch, number=2, outcome="unknown")

    assert not settle_as_refused(batch.pk, other.pk, fact={"kind": "silence"})

    batch.refresh_from_db()
    assert batch.status == "unknown"
    assert not Alarm.objects.exists()


def test_a_person_need_not_wait_for_reports_that_are_not_read_yet() -> None:
    batch = unknown()
    Receipt.objects.create(body=b"[]")

    assert decisions.resend(batch.pk, who="ada")

    batch.refresh_from_db()
    assert batch.status == "pending"


def test_a_decision_stands_where_no_worker_can_be_woken(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """Recovery wakes one for it."""
    batch = unknown()

    def unreachable(_: list[int]) -> int:
        raise OperationalError("gone")

    monkeypatch.setattr(settling.wake_ups, "wake_for", unreachable)

    with django_capture_on_commit_callbacks(execute=True):
        assert decisions.resend(batch.pk, who="ada")

    batch.refresh_from_db()
    assert batch.status == "pending"
