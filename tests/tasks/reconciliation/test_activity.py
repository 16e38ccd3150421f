"""Attempts in doubt, the provider's activity feed and silence: with a real sandbox, PostgreSQL and Valkey."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now

from newsdesk.core import redis_client
from sandbox.server import Sandbox
from subscribers.models import Subscriber
from tasks.models import Attempt, Batch, Receipt, Send, TransactionalMail, TransportState, WebhookState
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.reconciliation import activity, activity_notes, decisions, silence
from tasks.sends import database_moved
from tasks.sends.counts import counts
from tasks.submission import posting
from tasks.transactional import submitting
from tests.tasks.reconciliation.doubts import DAY, SHORT, accept_later, first_attempt, one_pass, questions_asked
from tests.tasks.submission.batches import only_batch, readers_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("activity_grace", "no_probes")]


@pytest.fixture
def refused(doubtful: Callable[..., Send]) -> Send:
    return doubtful(accepted=False)


@pytest.fixture
def later(refused: Send, transport: SendGridTransport) -> None:
    """Four requests after the one that was refused, of which events have come."""
    del refused
    accept_later(transport, 4)


# What the feed knows


def test_a_message_that_the_feed_knows_proves_acceptance_at_once(
    doubtful: Callable[..., Send], transport: SendGridTransport, sandbox: Sandbox
) -> None:
    send = doubtful(accepted=True, age=activity.ASK_AFTER + 1)

    one_pass(transport)

    attempt = first_attempt(send)
    assert (only_batch(send).status, attempt.outcome) == (Batch.Status.SUBMITTED, "accepted")
    fact = attempt.evidence[-1]
    assert (fact["kind"], fact["proves"]) == ("activity", "accepted")
    assert counts(send).submitted == 5
    one_pass(transport, 2)
    assert first_attempt(send).evidence == attempt.evidence
    assert sandbox.ledger.counts(f"send-{send.pk}")["requests"] == 1


def test_a_message_of_before_its_request_as_the_database_dates_that_is_found(
    doubtful: Callable[..., Send], transport: SendGridTransport
) -> None:
    """Its clock was an hour ahead, and `future_marks` has put the request's time right since: later than the message's."""
    send = doubtful(accepted=True)
    Attempt.objects.filter(batch__send=send).update(
        fenced_at=Now() + timedelta(minutes=40), finished_at=Now() - timedelta(seconds=SHORT + 60)
    )

    one_pass(transport)

    assert only_batch(send).status == Batch.Status.SUBMITTED


def test_mails_of_our_own_to_the_same_reader_use_up_no_question(
    doubtful: Callable[..., Send], transport: SendGridTransport
) -> None:
    """Alarms, to an editor who reads the newsletter too."""
    send = doubtful(accepted=True, readers=1)
    reader = Subscriber.objects.get(pk__in=readers_of(send))
    for _ in range(3):
        TransactionalMail.objects.create(
            kind="test", to_email=reader.email, from_email="news@example.com", subject="S", html="<p>S", text="S"
        )
    submitting.submit_waiting(transport=transport)

    one_pass(transport)

    assert only_batch(send).status == Batch.Status.SUBMITTED


def test_a_request_of_just_now_is_not_asked_about(
    doubtful: Callable[..., Send], transport: SendGridTransport, sandbox: Sandbox
) -> None:
    send = doubtful(accepted=True, age=60)

    one_pass(transport)

    assert (only_batch(send).status, questions_asked(sandbox)) == (Batch.Status.UNKNOWN, 0)


def test_the_reader_in_the_middle_is_enough(
    doubtful: Callable[..., Send], transport: SendGridTransport, sandbox: Sandbox
) -> None:
    """Whose addresses have changed since are not known to the feed under their new ones."""
    send = doubtful(accepted=True)
    first, *_, last = Subscriber.objects.filter(pk__in=readers_of(send)).order_by("pk")
    for reader in (first, last):
        Subscriber.objects.filter(pk=reader.pk).update(email=f"new-{reader.pk}@example.com")

    one_pass(transport)

    assert only_batch(send).status == Batch.Status.SUBMITTED


def test_a_message_proves_acceptance_where_the_database_moved(
    doubtful: Callable[..., Send], transport: SendGridTransport
) -> None:
    send = doubtful(accepted=True)
    database_moved.pause_for_moved_database(send.pk)

    one_pass(transport)

    assert only_batch(send).status == Batch.Status.SUBMITTED


def test_of_many_doubts_each_is_asked_about_in_turn(
    doubtful: Callable[..., Send], transport: SendGridTransport, sandbox: Sandbox
) -> None:
    """Two are found in a pass, with half the requests of a minute; those of which nothing can be told keep nobody waiting."""
    unclear = [doubtful(accepted=False, readers=1, age=2 * DAY) for _ in range(activity._DOUBTS_A_PASS)]
    clear = [doubtful(accepted=True, readers=1) for _ in range(3)]

    asked = []
    for _ in range(6):
        before = questions_asked(sandbox)
        one_pass(transport)
        asked.append(questions_asked(sandbox) - before)

    assert max(asked) <= 3
    assert {only_batch(send).status for send in clear} == {Batch.Status.SUBMITTED}
    assert {only_batch(send).status for send in unclear} == {Batch.Status.UNKNOWN}


def test_one_pass_a_minute_asks_whoever_calls_for_it(
    refused: Send, transport: SendGridTransport, sandbox: Sandbox
) -> None:
    for _ in range(5):
        silence.reconcile(transport=transport, grace=DAY)

    assert questions_asked(sandbox) == 1
    left = redis_client.client(activity_notes.settings.REDIS_URL).pttl(activity_notes._turn(transport.name))
    assert 0 < left <= activity.TURN_EVERY * 1000


# What it does not know


@pytest.mark.usefixtures("later")
def test_silence_that_the_feed_confirms_twice_is_believed_in_the_short_grace(
    refused: Send, transport: SendGridTransport, sandbox: Sandbox
) -> None:
    one_pass(transport)
    assert only_batch(refused).status == Batch.Status.UNKNOWN

    one_pass(transport)

    assert only_batch(refused).status == Batch.Status.PENDING
    once, twice = (fact for fact in first_attempt(refused).evidence if fact["kind"] == "activity")
    assert "proves" not in once
    assert {name: twice[name] for name in ("proves", "passes", "readers", "later_requests_known", "grace")} == {
        "proves": "refused",
        "passes": 2,
        "readers": 3,
        "later_requests_known": 4,
        "grace": SHORT,
    }
    posting.submit_batch(only_batch(refused).pk, transport=transport)
    one_pass(transport, 2)
    assert counts(refused).submitted == 5
    assert sandbox.ledger.counts(f"send-{refused.pk}")["duplicates"] == 0


def _within_the_grace(send: Send) -> None:
    back = timedelta(seconds=90)
    Attempt.objects.filter(batch__send=send).update(
        fenced_at=F("fenced_at") + back, finished_at=F("finished_at") + back
    )


def _few_passes(send: Send) -> None:
    Attempt.objects.filter(batch__send=send).update(silent_passes=0)


def _two_later(send: Send) -> None:
    del send
    for attempt in Attempt.objects.filter(outcome="accepted")[:2]:
        Attempt.objects.filter(pk=attempt.pk).update(transport="sendgrid:other")


def _another_is_silent_too(send: Send) -> None:
    del send
    past = timedelta(seconds=301)
    silent = Attempt.objects.filter(outcome="accepted").first()
    assert silent is not None
    Attempt.objects.filter(pk=silent.pk).update(heard=0, fenced_at=F("fenced_at") - past)


def _unapplied_receipt(send: Send) -> None:
    del send
    Receipt.objects.create(body=b"[]")


def _refused_webhook(send: Send) -> None:
    WebhookState.objects.update_or_create(provider="sendgrid", defaults={"refused_at": first_attempt(send).fenced_at})


def _silence_disabled(send: Send) -> None:
    name = first_attempt(send).transport
    TransportState.objects.update_or_create(name=name, defaults={"silence_enabled": False})


def _database_moved(send: Send) -> None:
    database_moved.pause_for_moved_database(send.pk)


def _another_database_without_a_word(send: Send) -> None:
    Send.objects.filter(pk=send.pk).update(system_identifier="another")


def _somebody_has_left_it(send: Send) -> None:
    decisions.leave(only_batch(send).pk, who="ada")


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize(
    "spoil",
    [
        _within_the_grace,
        _few_passes,
        _two_later,
        _another_is_silent_too,
        _unapplied_receipt,
        _refused_webhook,
        _silence_disabled,
        _database_moved,
        _another_database_without_a_word,
        _somebody_has_left_it,
    ],
)
def test_absence_proves_nothing_when_one_condition_fails(
    spoil: Any, refused: Send, transport: SendGridTransport
) -> None:
    spoil(refused)

    one_pass(transport, 3)

    assert only_batch(refused).status == Batch.Status.UNKNOWN
    assert not [fact for fact in first_attempt(refused).evidence if fact["kind"] == "activity"]


@pytest.mark.usefixtures("later")
def test_a_feed_that_runs_behind_proves_nothing(refused: Send, transport: SendGridTransport, sandbox: Sandbox) -> None:
    sandbox.change_activity(lag=3600.0)

    one_pass(transport, 3)

    assert only_batch(refused).status == Batch.Status.UNKNOWN
    sandbox.change_activity(lag=0.0)
    one_pass(transport, 2)
    assert only_batch(refused).status == Batch.Status.PENDING


def test_an_accepted_request_that_a_late_feed_does_not_know_stays_in_doubt(
    doubtful: Callable[..., Send], transport: SendGridTransport, sandbox: Sandbox
) -> None:
    send = doubtful(accepted=True)
    accept_later(transport, 4)
    sandbox.change_activity(lag=3600.0)

    one_pass(transport, 3)
    assert only_batch(send).status == Batch.Status.UNKNOWN

    sandbox.change_activity(lag=0.0)
    one_pass(transport)
    assert only_batch(send).status == Batch.Status.SUBMITTED


@pytest.mark.usefixtures("later")
def test_a_feed_that_knows_too_few_of_the_later_ones_proves_nothing(
    refused: Send, transport: SendGridTransport, sandbox: Sandbox
) -> None:
    known = Attempt.objects.filter(outcome="accepted").order_by("fenced_at").values_list("provider_id", flat=True)
    with sandbox.ledger.writing() as ledger:
        for provider_id in known[:2]:
            ledger.execute(
                "UPDATE message SET address = 'gone' WHERE request_id = (SELECT id FROM request WHERE message_id = ?)",
                (provider_id,),
            )

    one_pass(transport, 3)

    assert only_batch(refused).status == Batch.Status.UNKNOWN


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("change", [{"broken": True}, {"available": False}, {"per_minute": 1}])
def test_a_feed_that_does_not_answer_changes_nothing(
    change: dict[str, Any], refused: Send, doubtful: Callable[..., Send], transport: SendGridTransport, sandbox: Sandbox
) -> None:
    accepted = doubtful(accepted=True)
    evidence = [first_attempt(send).evidence for send in (refused, accepted)]
    sandbox.change_activity(**change)
    if "per_minute" in change:
        sandbox._state.may_ask_activity()

    one_pass(transport, 3)

    assert [only_batch(send).status for send in (refused, accepted)] == [Batch.Status.UNKNOWN] * 2
    assert [first_attempt(send).evidence for send in (refused, accepted)] == evidence


@pytest.mark.parametrize(("change", "seconds"), [({"available": False}, 86_400), ({"broken": True}, 300)])
def test_a_feed_that_does_not_answer_is_left_alone(
    change: dict[str, Any], seconds: int, refused: Send, transport: SendGridTransport, sandbox: Sandbox, settings: Any
) -> None:
    sandbox.change_activity(**change)
    silence.reconcile(transport=transport, grace=DAY)
    sandbox.change_activity(available=True, broken=False)

    silence.reconcile(transport=transport, grace=DAY)

    assert questions_asked(sandbox) == 0
    left = redis_client.client(settings.REDIS_URL).ttl(activity_notes._turn(transport.name))
    assert seconds - 60 < left <= seconds
    assert activity.grace_of(transport.name, DAY) == (0.0 if seconds > 300 else SHORT)
