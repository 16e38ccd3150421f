"""What settled a request, printed so that an operator understands it."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from newsdesk.core.errors import InputError
from tasks.attempts import proof
from tasks.models import Attempt, Batch, Receipt, Send, WebhookState
from tasks.reconciliation import decisions
from tasks.reconciliation.explanations import conditions, explain_fact, span
from tasks.reconciliation.silence_conditions import Doubt
from tasks.sends import database_moved
from tests import factories

KEY = "sendgrid:test"


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        (
            {"kind": "answer", "proves": "accepted", "http_status": 202, "provider_id": "abc"},
            "the provider's answer: accepted (HTTP 202), message id abc",
        ),
        ({"kind": "answer", "said": "HTTP 429: too many"}, "the provider's answer: HTTP 429: too many"),
        ({"kind": "event", "receipt": 7, "proves": "accepted"}, "an event named it (receipt 7): it was accepted"),
        (
            {"kind": "silence", "seconds": 90000, "grace": 86400.0, "passes": 6, "later_requests_heard": 3},
            (
                "silence: nothing was heard of it for 25 h (grace 24 h) in 6 passes, while 3 later requests were heard "
                "of: it was refused"
            ),
        ),
        ({"kind": "person", "who": "ada", "decided": "resend"}, "ada decided: send it again, for it was not accepted"),
        (
            {"kind": "ground_moved", "why": "restored"},
            "the database moved under it, so that its silence proves nothing: restored",
        ),
        ({"kind": "sweep", "why": "its worker is dead"}, "recovery found it without an end: its worker is dead"),
        (
            {"kind": "withdrawn", "why": "too late"},
            "its worker took it back before a byte had left: too late",
        ),
        (
            {"kind": "lost", "send": 3},
            "an event named this request of send 3, which the database has forgotten: it was accepted",
        ),
        (
            {"kind": "answers", "accepted": 3, "refused": 0, "not_tried": 2, "said": "421 later"},
            "the server's answers: 3 accepted, 2 not tried; 421 later",
        ),
        ({"kind": "divided", "from_batch": 4}, "it has the readers of batch 4 whose outcome was another"),
        ({"kind": "brand_new", "x": 1, "at": "now"}, "brand_new: x 1"),
        ({}, "something"),
    ],
)
def test_every_fact_has_an_explanation(fact: dict[str, Any], text: str) -> None:
    assert explain_fact(fact) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (9.96, "9.9 s"), (119, "119 s"), (120, "2 min"), (86399, "23 h"), (86400, "24 h")],
)
def test_spans(seconds: float, text: str) -> None:
    assert span(seconds) == text


def doubt(**fields: Any) -> Doubt:
    given: dict[str, Any] = {
        "attempt": uuid4(),
        "batch_id": 1,
        "send_id": 1,
        "passes": 6,
        "age": 90000.0,
        "all_applied": True,
        "enabled": True,
        "webhook_accepted": True,
        "others_heard": True,
        "later_heard": 3,
        "feed_passes": 0,
    }
    return Doubt(**{**given, **fields})


@pytest.mark.parametrize(
    ("fields", "lacking"),
    [
        ({}, None),
        ({"age": 10800.0}, "grace: 3 h of 24 h"),
        ({"passes": 2}, "passes: 2 of 5"),
        ({"later_heard": 1}, "later requests heard of (for 99% of their readers): 1 of 3"),
        ({"others_heard": False}, "accepted about the same time and silent too: some"),
        ({"all_applied": False}, "receipts that wait to be applied: some"),
        ({"webhook_accepted": False}, "webhook calls refused since: yes"),
        ({"enabled": False}, "silence believed on this key: no"),
    ],
)
def test_the_conditions_agree_with_the_proof(fields: dict[str, Any], lacking: str | None) -> None:
    judged = conditions(doubt(**fields), grace=86400)
    assert [condition.text for condition in judged if not condition.is_met] == ([lacking] if lacking else [])
    assert all(condition.is_met for condition in judged) == doubt(**fields).proves_refusal(86400)


# The command


@pytest.fixture
def send(db: None) -> Send:
    """One batch accepted by its answer, one refused and then accepted by an event, one unknown."""
    send = factories.make_send(status=Send.Status.SENDING, prepared_at=timezone.now())
    answer = {"kind": "answer", "proves": "accepted", "http_status": 202}
    plain = factories.make_batch(send, status="submitted")
    factories.make_attempt(plain, outcome="accepted", evidence=[answer])
    retried = factories.make_batch(send, status="unknown", attempts=2)
    factories.make_attempt(
        retried, outcome="refused", http_status=429, evidence=[{"kind": "answer", "said": "HTTP 429"}]
    )
    second = factories.make_attempt(retried, number=2, outcome="unknown", transport=KEY)
    Batch.objects.filter(pk=retried.pk).update(attempt=second.pk)
    with transaction.atomic():
        proof.prove_accepted({second.pk: send.pk}, by={"kind": "event", "receipt": 5})
    doubtful = factories.make_batch(send, status="unknown", attempts=1)
    third = factories.make_attempt(
        doubtful, outcome="unknown", transport=KEY, evidence=[{"kind": "answer", "said": "timed out"}]
    )
    Batch.objects.filter(pk=doubtful.pk).update(attempt=third.pk)
    Attempt.objects.filter(pk=third.pk).update(
        fenced_at=timezone.now() - timedelta(seconds=5), finished_at=timezone.now() - timedelta(seconds=4)
    )
    return send


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    call_command("evidence", *words)
    return capsys.readouterr().out


def test_only_what_was_in_doubt_is_listed(send: Send, capsys: pytest.CaptureFixture[str]) -> None:
    report = json.loads(printed(capsys, str(send.pk), "--json"))

    assert [(each["outcome"], each["number"]) for each in report["attempts"]] == [
        ("refused", 1),
        ("accepted", 2),
        ("unknown", 1),
    ]
    assert report["attempts"][1]["facts"][0]["words"] == "an event named it (receipt 5): it was accepted"
    everything = json.loads(printed(capsys, str(send.pk), "--all", "--json"))
    assert len(everything["attempts"]) == 4


def test_an_unknown_one_says_what_it_waits_for(send: Send, capsys: pytest.CaptureFixture[str]) -> None:
    Receipt.objects.create(body=b"[]")
    WebhookState.objects.create(provider="sendgrid", refused_at=timezone.now())
    batch = Batch.objects.get(send=send, status="unknown")

    text = printed(capsys, str(send.pk), "--batch", str(batch.pk))

    assert f"batch {batch.pk}, attempt 1" in text
    assert "timed out" in text
    assert "[ ] passes: 0 of 5" in text
    assert "[ ] webhook calls refused since: yes" in text
    assert "[ ] receipts that wait to be applied: some" in text
    assert "[x] silence believed on this key: yes" in text


def test_what_is_never_believed_says_why(send: Send, capsys: pytest.CaptureFixture[str]) -> None:
    decisions.leave(Batch.objects.get(send=send, status="unknown").pk, who="ada")

    text = printed(capsys, str(send.pk))

    assert "ada decided: leave it" in text
    assert "its silence is not believed: somebody decided to leave it" in text


def test_after_a_restore_batches_without_a_request_are_listed(capsys: pytest.CaptureFixture[str], db: None) -> None:
    send = factories.make_send(status=Send.Status.SENDING, prepared_at=timezone.now())
    batch = factories.make_batch(send)
    database_moved.pause_for_moved_database(send.pk)

    assert f"batch {batch.pk}: unknown without a request" in printed(capsys, str(send.pk))
    assert json.loads(printed(capsys, str(send.pk), "--json"))["without_attempt"] == [batch.pk]


def test_a_send_without_doubts_and_a_batch_of_another(send: Send, capsys: pytest.CaptureFixture[str]) -> None:
    other = factories.make_batch()
    assert "no request was ever in doubt" in printed(capsys, str(other.send_id))
    with pytest.raises(InputError, match="has no batch"):
        call_command("evidence", str(send.pk), "--batch", str(other.pk))
