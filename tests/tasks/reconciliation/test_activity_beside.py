"""What stands beside the feed's word: probes, events that come meanwhile, a broker that is away, and what a person is told."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import transaction

from newsdesk.core import redis_client
from sandbox.server import Sandbox
from tasks.attempts import exclusions, proof
from tasks.models import Attempt, Batch, Receipt, Send
from tasks.providers import registry
from tasks.providers.base import ActivityAnswer, ActivityQuestion
from tasks.providers.sendgrid.activity import SendGridActivity
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.reconciliation import activity, activity_notes, activity_questions, silence
from tasks.reconciliation.explanations import explain_fact, explain_feed
from tasks.submission import posting
from tests.factories import make_batch, make_prepared_send
from tests.tasks.reconciliation.doubts import DAY, SHORT, accept_later, first_attempt, one_pass, questions_asked
from tests.tasks.submission.batches import only_batch, readers_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("activity_grace")]


@pytest.fixture
def refused(doubtful: Callable[..., Send]) -> Send:
    return doubtful(accepted=False)


def test_probes_are_later_requests_that_the_feed_is_asked_for(
    refused: Send, transport: SendGridTransport, sandbox: Sandbox
) -> None:
    for number in range(1, 4):
        one_pass(transport)
        assert sandbox.ledger.counts("newsdesk-probe")["requests"] == number
        # The next one is due a tenth of the grace later.
        Attempt.objects.filter(batch=None).update(heard=1)
        _one_by_one_after(refused)

    one_pass(transport, 2)

    assert only_batch(refused).status == Batch.Status.PENDING
    assert first_attempt(refused).evidence[-1]["later_requests_known"] == 3


def _one_by_one_after(send: Send) -> None:
    """As if the probes had been sent since the request ended, each long enough after the other."""
    ended = first_attempt(send).finished_at
    assert ended is not None
    for number, attempt in enumerate(Attempt.objects.filter(batch=None).order_by("pk"), start=1):
        Attempt.objects.filter(pk=attempt.pk).update(fenced_at=ended + timedelta(seconds=number))


@pytest.mark.usefixtures("no_probes")
def test_an_event_that_comes_while_the_feed_is_asked_wins(
    refused: Send, transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept_later(transport, 4)
    one_pass(transport)
    asked = SendGridActivity.ask

    def ask_slowly(self: SendGridActivity, *args: Any, **kwargs: Any) -> ActivityAnswer:
        answer = asked(self, *args, **kwargs)
        with transaction.atomic():
            proof.prove_accepted({first_attempt(refused).pk: refused.pk}, by={"kind": "event"})
        return answer

    monkeypatch.setattr(SendGridActivity, "ask", ask_slowly)
    one_pass(transport)

    assert (only_batch(refused).status, first_attempt(refused).outcome) == (Batch.Status.SUBMITTED, "accepted")


@pytest.mark.usefixtures("no_probes")
def test_a_condition_that_breaks_while_the_feed_is_asked_is_seen(
    refused: Send, transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept_later(transport, 4)
    one_pass(transport)
    asked = SendGridActivity.ask

    def ask_slowly(self: SendGridActivity, *args: Any, **kwargs: Any) -> ActivityAnswer:
        Send.objects.filter(pk=refused.pk).update(system_identifier="another")
        return asked(self, *args, **kwargs)

    monkeypatch.setattr(SendGridActivity, "ask", ask_slowly)
    one_pass(transport, 2)

    assert only_batch(refused).status == Batch.Status.UNKNOWN


@pytest.mark.usefixtures("no_probes")
def test_an_event_that_arrives_as_the_feed_is_believed_keeps_the_batch_from_going_out_again(
    refused: Send, transport: SendGridTransport, settings: Any
) -> None:
    accept_later(transport, 4)
    one_pass(transport)
    seen = silence.doubts_of(transport.name, grace=DAY)
    redis_client.client(settings.REDIS_URL).delete(activity_notes._turn(transport.name))
    Receipt.objects.create(body=b"[]")

    activity.ask(transport=transport, doubts=lambda: seen, grace=DAY)

    assert [doubt.feed_passes for doubt in seen] == [1]
    assert only_batch(refused).status == Batch.Status.UNKNOWN


@pytest.mark.usefixtures("no_probes")
def test_what_the_feed_cannot_tell_of_a_request_is_no_absence(
    refused: Send, transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept_later(transport, 4)
    known = frozenset(Attempt.objects.filter(outcome="accepted").values_list("pk", flat=True))
    unclear = ActivityAnswer(found=known, absent=frozenset())
    monkeypatch.setattr(SendGridActivity, "ask", lambda *_, **__: unclear)

    one_pass(transport, 3)

    assert only_batch(refused).status == Batch.Status.UNKNOWN
    assert not [fact for fact in first_attempt(refused).evidence if fact["kind"] == "activity"]


def test_a_doubt_without_a_reader_to_ask_for_keeps_no_other_from_being_asked_about(
    doubtful: Callable[..., Send], transport: SendGridTransport
) -> None:
    nobody, somebody = doubtful(accepted=False, readers=1, age=2000), doubtful(accepted=False, readers=1)
    reasons = dict.fromkeys(readers_of(nobody), "left")
    exclusions.exclude(only_batch(nobody).pk, send_id=nobody.pk, kind="excluded", reasons=reasons, attempt=1)
    waiting = activity_questions.doubtful(transport.name, older_than=0.0)
    assert len(waiting) == 2

    questions = activity_questions.questions_about(transport.name, waiting, with_later=())

    assert [question.attempt for question in questions.all] == [first_attempt(somebody).pk]


def test_five_later_requests_are_asked_for_with_a_reader_each(refused: Send, transport: SendGridTransport) -> None:
    """Two of them may be unknown by the addresses that their readers have now."""
    large = make_prepared_send(3)
    posting.submit_batch(only_batch(large).pk, transport=transport)
    Attempt.objects.filter(batch__send=large).update(heard=3)
    accept_later(transport, 5)
    waiting = activity_questions.doubtful(transport.name, older_than=0.0)

    questions = activity_questions.questions_about(transport.name, waiting, with_later=[first_attempt(refused).pk])

    (later,) = questions.later.values()
    assert [len(question.addresses) for question in later] == [1] * 5


def test_a_probe_that_names_no_batch_is_not_looked_for_at_the_address_of_the_first() -> None:
    make_batch(pk=1)

    assert activity_questions._address_of_probe(None) == ()


@pytest.mark.usefixtures("no_probes")
@pytest.mark.parametrize("grace", [0, int(DAY), int(DAY) + 1])
def test_where_it_would_gain_nothing_the_feed_is_never_asked(
    grace: int, doubtful: Callable[..., Send], transport: SendGridTransport, sandbox: Sandbox, settings: Any
) -> None:
    send = doubtful(accepted=True)
    settings.ACTIVITY_GRACE = grace

    one_pass(transport, 2)

    assert (only_batch(send).status, questions_asked(sandbox)) == (Batch.Status.UNKNOWN, 0)
    assert not activity.is_wanted(transport.name, DAY)


@pytest.mark.parametrize(("grace", "seconds"), [(600, 120.0), (900, 180.0), (3600, 180.0)])
def test_a_request_is_asked_about_after_three_minutes_or_a_fifth_of_a_short_grace(
    grace: int, seconds: float, transport: SendGridTransport, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ACTIVITY_GRACE = grace
    waited: list[float] = []
    monkeypatch.setattr(activity, "doubtful", lambda _name, *, older_than: waited.append(older_than) or [])

    activity.ask(transport=transport, doubts=list, grace=DAY)

    assert waited == [seconds]


def test_a_pass_that_has_nothing_to_ask_takes_nobodys_turn(transport: SendGridTransport) -> None:
    activity.ask(transport=transport, doubts=list, grace=DAY)

    assert activity_notes.take_turn(transport.name, every=50)


def test_no_minute_has_more_requests_than_the_feed_answers(
    refused: Send, transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pass of 30 s and the one 50 s after its beginning have a minute in common."""
    allowed: list[int] = []

    def ask(_self: SendGridActivity, *_: Any, requests: int, **__: Any) -> ActivityAnswer:
        allowed.append(requests)
        return ActivityAnswer(found=frozenset(), absent=frozenset())

    monkeypatch.setattr(SendGridActivity, "ask", ask)

    activity.ask(transport=transport, doubts=list, grace=DAY)

    assert (allowed, SendGridActivity.requests_a_minute) == ([3], 6)
    assert (activity.TURN_EVERY, activity._DOUBTS_A_PASS) == (50.0, 4)


def test_of_doubts_asked_about_together_the_last_is_the_first_next_time(
    doubtful: Callable[..., Send], transport: SendGridTransport, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each that is found takes a request more, so that the last ones may get no answer."""
    first, last = (first_attempt(doubtful(accepted=False, readers=1, age=age)).pk for age in (2000, 1000))
    asked: list[list[UUID]] = []

    def ask(_self: SendGridActivity, _transport: Any, questions: Sequence[ActivityQuestion], **_: Any) -> Any:
        asked.append([question.attempt for question in questions])
        return ActivityAnswer(found=frozenset(), absent=frozenset())

    monkeypatch.setattr(SendGridActivity, "ask", ask)

    for _ in range(2):
        redis_client.client(settings.REDIS_URL).delete(activity_notes._turn(transport.name))
        activity.ask(transport=transport, doubts=list, grace=DAY)

    assert asked == [[first, last], [last, first]]


@pytest.mark.usefixtures("no_probes")
def test_without_redis_nobody_knows_who_asks_so_that_nobody_does(
    doubtful: Callable[..., Send], transport: SendGridTransport, sandbox: Sandbox, settings: Any, capsys: Any
) -> None:
    send = doubtful(accepted=True)
    settings.REDIS_URL = "redis+socket:///nowhere/valkey.sock"

    silence.reconcile(transport=transport, grace=DAY)

    assert (only_batch(send).status, questions_asked(sandbox)) == (Batch.Status.UNKNOWN, 0)
    call_command("evidence", str(send.pk))
    assert "the provider's activity feed: not asked yet" in capsys.readouterr().out


def test_providers_that_keep_no_record() -> None:
    assert activity.feed_of("smtp:x") is None
    assert activity.feed_of("file:x") is None
    assert activity.grace_of("smtp:x", DAY) == 0.0
    assert isinstance(activity.feed_of("sendgrid:x"), SendGridActivity)


# What a person is told


@pytest.mark.usefixtures("no_probes")
def test_evidence_tells_what_the_feed_said_and_which_condition_is_open(
    refused: Send, transport: SendGridTransport, capsys: Any
) -> None:
    accept_later(transport, 4)

    one_pass(transport)
    call_command("evidence", str(refused.pk))

    text = capsys.readouterr().out
    assert "the provider's activity feed knew no message of it (asked for 3 readers), but 4 later requests" in text
    assert "UTC for 3 readers: it knew no message of it\n" in text
    assert "    [x] grace: 10 min of 10 min\n    [x] later requests that the feed knows: 3 of 3\n" in text
    assert "    [ ] passes in which it knew those and no message of this one: 1 of 2\n" in text
    call_command("evidence", str(refused.pk), "--json")
    (told,) = json.loads(capsys.readouterr().out)["attempts"]
    assert [condition["holds"] for condition in told["sooner"]] == [True, True, False]


@pytest.mark.usefixtures("no_probes")
def test_evidence_tells_that_there_is_no_feed(
    refused: Send, transport: SendGridTransport, sandbox: Sandbox, capsys: Any
) -> None:
    sandbox.change_activity(available=False)

    one_pass(transport)
    call_command("evidence", str(refused.pk))

    text = capsys.readouterr().out
    assert (
        "the provider's activity feed: this account or key has none, and is asked again within a day (HTTP 403" in text
    )
    assert "silence is believed sooner" not in text


@pytest.mark.usefixtures("no_probes")
def test_evidence_tells_of_another_keys_request_nothing_of_the_feed(
    refused: Send, transport: SendGridTransport, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = SendGridTransport(api_key="SG.other", host="http://127.0.0.1:1")
    monkeypatch.setattr(registry, "get_transport", lambda: other)

    call_command("evidence", str(refused.pk))

    assert "activity feed" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        (
            {"kind": "activity", "proves": "accepted"},
            "the provider's activity feed knows a message of it: it was accepted",
        ),
        (
            {"kind": "activity", "readers": 1, "later_requests_known": 3, "passes": 1},
            "the provider's activity feed knew no message of it (asked for 1 reader), but 3 later requests: it may have been refused",
        ),
        (
            {
                "kind": "activity",
                "proves": "refused",
                "seconds": 1000,
                "grace": SHORT,
                "readers": 3,
                "later_requests_known": 4,
                "passes": 2,
            },
            (
                "silence for 16 min (grace 10 min), and the provider's activity feed knew no message of it (asked for 3 readers), "
                "but 4 later requests, in 2 passes: it was refused"
            ),
        ),
    ],
)
def test_facts_in_words(fact: dict[str, Any], text: str) -> None:
    assert explain_fact(fact) == text


def test_what_it_said_before_and_why_it_is_not_asked_now() -> None:
    note = {"at": 0.0, "said": "", "readers": 2}

    told = explain_feed(note, has_none=False, trouble="HTTP 500: ")

    assert told == (
        "asked at 00:00:00 UTC for 2 readers: whether a message it knew is of it could not be told; it cannot be asked now (HTTP 500: )"
    )


def test_the_turn_is_one_for_all_workers(transport: SendGridTransport, settings: Any) -> None:
    assert activity_notes.take_turn(transport.name, every=50)
    assert not activity_notes.take_turn(transport.name, every=50)
    redis_client.client(settings.REDIS_URL).flushall()
    assert activity_notes.take_turn(transport.name, every=50)
