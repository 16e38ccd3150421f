"""What a person decides about a batch in doubt, and what is written down of it."""

import pytest

from tasks.models import Alarm, Attempt, Batch, Send
from tasks.reconciliation import decisions
from tasks.reconciliation.settling import settle_as_refused
from tests.factories import make_attempt, make_batch, make_send

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


def test_what_is_decided_of_another_request_of_the_batch_does_not_count() -> None:
    batch = unknown()
    other = make_attempt(batch, number=2, outcome="unknown")

    assert not settle_as_refused(batch.pk, other.pk, fact={"kind": "silence"})

    batch.refresh_from_db()
    assert batch.status == "unknown"
    assert not Alarm.objects.exists()
