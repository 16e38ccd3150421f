"""What a person can do with a send: take it back, send it again to those it missed, and read who did what to it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import timezone

from composer.models import Approval
from subscribers.models import Segment, Subscriber
from tasks.attempts import exclusions
from tasks.models import Action, Alarm, Batch, Delivery, Send
from tasks.preparation import preparing
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.reconciliation import decisions
from tasks.sends import control, finishing, resend_to_missed, scheduling, undo
from tasks.sends.audit_trail import history
from tasks.sends.counts import counts
from tasks.sends.scheduling import SchedulingError
from tasks.submission import claim_release, posting
from tasks.submission.claiming import Claim, claim_batch, claim_next
from tests.factories import (
    make_approval,
    make_list,
    make_prepared_send,
    make_segment,
    make_send,
    make_subscriber,
    make_suppression,
)
from tests.tasks.lock_waits import waiting_for_locks
from tests.waiting import LONG, eventually

pytestmark = pytest.mark.django_db

SOON = timedelta(seconds=60)


def done_to(send: Send) -> list[tuple[str, str, str]]:
    """What was done beside preparing it; when it was scheduled for is tested elsewhere."""
    lines = Action.objects.filter(send=send).exclude(what="prepared").values_list("what", "who", "why")
    return [(what, who, "" if what == "scheduled" else why) for what, who, why in lines]


def undoable(readers: int = 3, **fields: Any) -> Send:
    """Prepared, and within its time for taking it back."""
    send = make_prepared_send(readers, **fields)
    Send.objects.filter(pk=send.pk).update(undo_until=timezone.now() + SOON)
    send.refresh_from_db()
    return send


def status_of(send: Send) -> str:
    return Send.objects.values_list("status", flat=True).get(pk=send.pk)


def submit_all(send: Send, transport: SendGridTransport) -> None:
    for batch_id in Batch.objects.filter(send=send).order_by("pk").values_list("pk", flat=True):
        posting.submit_batch(batch_id, transport=transport)


# The history


def test_every_action_is_recorded_with_who_and_why(transport: SendGridTransport) -> None:
    ada = get_user_model().objects.create_user("ada")
    edition = make_approval().edition
    readers = make_list(edition.publication)
    make_subscriber(readers)
    send = scheduling.schedule(edition, lists=[readers], by=ada)
    assert preparing.prepare(send.pk)

    control.pause(send.pk, "lunch", who="command line (bob)")
    control.resume(send.pk, by=ada, why="lunch is over")
    submit_all(send, transport)

    assert done_to(send) == [
        ("scheduled", "ada", ""),
        ("paused", "command line (bob)", "lunch"),
        ("resumed", "ada", "lunch is over"),
        ("sent", "Newsdesk", ""),
    ]
    assert Action.objects.filter(by=ada).count() == 2
    assert [(line["what"], line["at"][-6:]) for line in history(send.pk)][-1] == ("sent", "+00:00")


def test_what_newsdesk_does_itself_is_recorded_too(transport: SendGridTransport, fault: Any) -> None:
    fault("credits-exceeded", times=1)
    send = make_prepared_send(1)
    submit_all(send, transport)
    control.cancel(send.pk, who="command line (bob)", why="too late")

    assert [(what, who) for what, who, _ in done_to(send)] == [
        ("paused", "Newsdesk"),
        ("cancelled", "command line (bob)"),
    ]
    assert "Maximum credits exceeded" in done_to(send)[0][2]


def test_what_changes_nothing_leaves_no_line() -> None:
    send = make_send(status="sent")

    assert not control.pause(send.pk, "late")
    assert not control.resume(send.pk)
    assert not control.cancel(send.pk)
    assert not finishing.finish_if_done(send.pk)
    assert done_to(send) == []


@pytest.mark.parametrize("decision", ["resend", "leave"])
def test_a_decision_about_a_batch_is_in_the_sends_history(
    decision: str, transport: SendGridTransport, fault: Any
) -> None:
    fault("reject-then-close", times=1)
    send = make_prepared_send(1)
    submit_all(send, transport)
    batch = Batch.objects.get(send=send)

    assert getattr(decisions, decision)(batch.pk, who="command line (bob)", why="SendGrid says no")

    assert done_to(send) == [("settled", "command line (bob)", f"batch {batch.pk}: {decision}. SendGrid says no")]


def test_an_open_alarm_about_the_pause_ends_with_the_send() -> None:
    send = make_prepared_send(1)
    control.pause(send.pk, "why")

    control.cancel(send.pk)

    assert Alarm.objects.get().cleared_at is not None


# Taking back


@pytest.mark.parametrize("paused", [False, True])
def test_a_scheduled_send_can_be_taken_back(paused: bool) -> None:
    send = make_send(2, scheduled_at=timezone.now() + SOON)
    if paused:
        control.pause(send.pk, "lunch", who="bob")

    undo.undo(send.pk, who="command line (bob)", why="wrong list")

    assert status_of(send) == "cancelled"
    assert done_to(send)[-1] == ("undone", "command line (bob)", "wrong list")
    assert not Alarm.objects.filter(cleared_at=None).exists()


@pytest.mark.parametrize("paused", [False, True])
def test_within_its_time_a_prepared_send_is_taken_back_and_the_edition_can_go_again(paused: bool) -> None:
    send = undoable(3)
    if paused:
        control.pause(send.pk, "lunch", who="bob")

    undo.undo(send.pk)

    numbers = counts(send)
    assert (numbers.status, numbers.excluded, numbers.adds_up) == ("cancelled", {"cancelled": 3}, True)
    again = scheduling.schedule(send.edition, lists=list(send.lists.all()))
    prepared = preparing.prepare(again.pk)
    assert prepared is not None
    assert (prepared.deliveries, prepared.excluded) == (3, {})


def test_once_a_batch_was_claimed_it_says_since_when_and_what_stops_the_rest(transport: SendGridTransport) -> None:
    send = undoable(2)
    batch = Batch.objects.get(send=send)
    assert claim_batch(batch.pk, attempt=uuid4(), transport=transport.name)
    batch.refresh_from_db()

    with pytest.raises(undo.UndoError) as refused:
        undo.undo(send.pk)

    assert f"going out since {batch.claimed_at:%Y-%m-%d %H:%M:%S} UTC" in str(refused.value)
    assert f"newsdesk pause {send.pk} or newsdesk cancel {send.pk} stops" in str(refused.value)
    assert (status_of(send), done_to(send)) == ("sending", [])


def test_a_batch_that_was_given_back_counts_as_claimed(transport: SendGridTransport) -> None:
    send = undoable(2)
    batch = Batch.objects.get(send=send)
    attempt = uuid4()
    assert claim_batch(batch.pk, attempt=attempt, transport=transport.name)
    assert claim_release.release_claim(batch.pk, attempt, why="test")

    with pytest.raises(undo.UndoError, match="going out since"):
        undo.undo(send.pk)


@pytest.mark.parametrize("until", [None, timedelta(seconds=-1)])
def test_after_its_time_it_cannot_be_taken_back(until: timedelta | None) -> None:
    send = make_prepared_send(1)
    Send.objects.update(undo_until=None if until is None else timezone.now() + until)

    with pytest.raises(undo.UndoError, match="can no longer be taken back"):
        undo.undo(send.pk)

    assert status_of(send) == "sending"


@pytest.mark.parametrize(("status", "words"), [("sent", "nothing is left"), ("cancelled", "cancelled already")])
def test_what_is_over_cannot_be_taken_back(status: str, words: str) -> None:
    send = make_send(1, status=status, finished_at=timezone.now())

    with pytest.raises(undo.UndoError, match=words):
        undo.undo(send.pk)
    with pytest.raises(undo.UndoError, match="no send"):
        undo.undo(send.pk + 1000)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("which", ["this", "any"])
def test_of_a_claim_and_an_undo_at_the_same_moment_one_wins(which: str, transport: SendGridTransport) -> None:
    send = undoable(1)
    batch = Batch.objects.get(send=send)
    start = threading.Barrier(2)

    def claiming() -> bool:
        try:
            start.wait(LONG)
            if which == "any":
                return isinstance(claim_next(attempt=uuid4(), transport=transport.name), Claim)
            return claim_batch(batch.pk, attempt=uuid4(), transport=transport.name) is not None
        finally:
            connection.close()

    def undoing() -> bool:
        try:
            start.wait(LONG)
            undo.undo(send.pk)
        except undo.UndoError:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        claimed, undone = (future.result() for future in [pool.submit(claiming), pool.submit(undoing)])

    assert claimed != undone
    batch.refresh_from_db()
    expected = ("cancelled", "cancelled", 0) if undone else ("sending", "building", 1)
    assert (status_of(send), batch.status, batch.attempts) == expected


@pytest.mark.django_db(transaction=True)
def test_an_undo_waits_for_a_claim_that_has_not_committed(
    transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = undoable(1)
    batch = Batch.objects.get(send=send)
    inside, asked = threading.Event(), threading.Event()

    def myself() -> str:
        inside.set()
        # The undo now waits for the send's row; what it waits with is seen in the server.
        assert asked.wait(LONG)
        return ""

    monkeypatch.setattr("newsdesk.core.process_identity.current_process", myself)

    def claiming() -> None:
        try:
            assert claim_batch(batch.pk, attempt=uuid4(), transport=transport.name)
        finally:
            connection.close()

    def undoing() -> None:
        try:
            undo.undo(send.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(claiming)
        assert inside.wait(LONG)
        second = pool.submit(undoing)
        assert eventually(lambda: second.done() or waiting_for_locks())
        assert not second.done()
        asked.set()
        first.result()
        with pytest.raises(undo.UndoError, match="going out since"):
            second.result()


# Resend to those missed


def readers_of(send: Send) -> set[int]:
    return set(Delivery.objects.filter(send_id=send.pk).values_list("subscriber_id", flat=True))


def test_the_missed_are_the_new_the_failed_and_the_cancelled_and_nobody_else(transport: SendGridTransport) -> None:
    first = make_prepared_send(4)
    _, failed, left, bounced = sorted(readers_of(first))
    submit_all(first, transport)
    reached = Delivery.objects.filter(send_id=first.pk).values_list("batch_id", flat=True)[0]
    exclusions.exclude(
        reached, send_id=first.pk, kind="failed", reasons={failed: "no", left: "no", bounced: "no"}, attempt=2
    )
    (readers,) = first.lists.all()
    newcomer = make_subscriber(readers)
    Subscriber.objects.get(pk=left).subscriptions.update(status="unsubscribed")
    make_suppression(Subscriber.objects.get(pk=bounced))

    second = resend_to_missed.resend_to_missed(first.pk, who="command line (bob)")

    assert (second.readers, second.send.rest_of_id, second.send.approval_id) == (2, first.pk, first.approval_id)
    assert done_to(second.send) == [("scheduled", "command line (bob)", "")]
    prepared = preparing.prepare(second.send.pk)
    assert prepared is not None
    assert readers_of(second.send) == {failed, newcomer.pk}
    assert prepared.excluded == {"already_received": 1, "unsubscribed": 1, "hard_bounce": 1}


def test_unknown_counts_as_received(transport: SendGridTransport, fault: Any) -> None:
    fault("reject-then-close", times=1)
    first = make_prepared_send(2)
    submit_all(first, transport)
    control.cancel(first.pk)

    second = resend_to_missed.resend_to_missed(first.pk)

    assert second.readers == 0
    prepared = preparing.prepare(second.send.pk)
    assert prepared is not None
    assert prepared.excluded == {"already_received": 2}


def test_once_the_rest_was_left_in_doubt_others_can_be_sent_to(transport: SendGridTransport, fault: Any) -> None:
    fault("reject-then-close", times=1)
    first = make_prepared_send(2)
    submit_all(first, transport)
    newcomer = make_subscriber(first.lists.get())
    with pytest.raises(SchedulingError, match="is sending"):
        resend_to_missed.resend_to_missed(first.pk)

    assert decisions.leave(Batch.objects.get(send=first).pk, who="ada")

    assert resend_to_missed.resend_to_missed(first.pk).readers == 1
    assert preparing.prepare(Send.objects.latest("pk").pk)
    assert readers_of(Send.objects.latest("pk")) == {newcomer.pk}


def test_a_cancelled_sends_readers_get_it_by_the_rule_of_then() -> None:
    rule = {"field": "attributes.country", "op": "eq", "value": "SG"}
    approval = make_approval()
    readers = make_list(approval.edition.publication)
    segment = make_segment(approval.edition.publication, rule)
    here = make_subscriber(readers, attributes={"country": "SG"})
    make_subscriber(readers, attributes={"country": "MY"})
    first = make_prepared_send(0, approval=approval, lists=[readers], segment=segment)
    control.cancel(first.pk)
    Segment.objects.all().delete()

    second = resend_to_missed.resend_to_missed(first.pk)

    assert second.readers == 1
    assert preparing.prepare(second.send.pk)
    assert readers_of(second.send) == {here.pk}


@pytest.mark.parametrize("status", ["scheduled", "sending", "paused"])
def test_while_the_first_is_open_nothing_is_resent(status: str) -> None:
    first = make_send(1, status=status)

    with pytest.raises(SchedulingError, match=f"is {status}: .*[Ww]ait until it is sent, or cancel it"):
        resend_to_missed.resend_to_missed(first.pk)

    assert Send.objects.count() == 1


def test_an_edition_that_was_reopened_must_be_approved_again() -> None:
    first = make_send(1, status="sent")
    Approval.objects.update(voided_at=timezone.now())

    with pytest.raises(SchedulingError, match="approve it again"):
        resend_to_missed.resend_to_missed(first.pk)

    again = make_approval(first.edition)
    assert resend_to_missed.resend_to_missed(first.pk).send.approval_id == again.pk
