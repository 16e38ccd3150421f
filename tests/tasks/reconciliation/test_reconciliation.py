"""What settles an attempt nobody saw the end of: evidence, silence that proves something, a person."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from sandbox.server import Sandbox
from tasks.attempts import exclusions, proof
from tasks.models import (
    Alarm,
    Attempt,
    Batch,
    Delivery,
    Exclusion,
    Receipt,
    Send,
    TransactionalMail,
    TransportState,
    WebhookState,
)
from tasks.providers.base import Accepted, Reason, Refused
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.reconciliation import decisions, probes, silence
from tasks.sends.counts import counts
from tasks.submission import posting
from tests.factories import make_attempt, make_batch, make_editor, make_prepared_send
from tests.tasks.lock_waits import waiting_for_locks
from tests.waiting import eventually

pytestmark = pytest.mark.django_db
GRACE = 10.0


@pytest.fixture
def unknown(transport: SendGridTransport, fault: Any) -> Send:
    """A send whose only batch was refused without an answer, older than the grace."""
    fault("reject-then-close", times=1)
    send = make_prepared_send(2)
    posting.submit_batch(Batch.objects.get(send=send).pk, transport=transport)
    _age(Attempt.objects.get())
    return send


def _age(attempt: Attempt, seconds: float = 60) -> None:
    past = timedelta(seconds=seconds)
    Attempt.objects.filter(pk=attempt.pk).update(fenced_at=F("fenced_at") - past, finished_at=F("finished_at") - past)


def _heard(transport: SendGridTransport, number: int = 3, *, heard: int = 100) -> None:
    for _ in range(number):
        make_attempt(size=100, heard=heard, transport=transport.name, outcome="accepted")


def _passes(transport: SendGridTransport, number: int = 6) -> None:
    for _ in range(number):
        silence.reconcile(transport=transport, grace=GRACE)


def _batch(send: Send) -> Batch:
    return Batch.objects.get(send=send)


def test_silence_proves_refusal_and_the_batch_goes_out_once(
    unknown: Send, transport: SendGridTransport, sandbox: Sandbox
) -> None:
    _heard(transport)

    _passes(transport)

    batch = _batch(unknown)
    assert batch.status == Batch.Status.PENDING
    first = Attempt.objects.get(batch=batch)
    assert first.outcome == "refused"
    assert first.evidence[-1]["kind"] == "silence"
    posting.submit_batch(batch.pk, transport=transport)
    assert counts(unknown).submitted == 2
    assert sandbox.ledger.counts(f"send-{unknown.pk}")["duplicates"] == 0


def _fewer_passes(send: Send, transport: SendGridTransport) -> None:
    _heard(transport)
    for _ in range(4):
        silence.reconcile(transport=transport, grace=GRACE)


def _within_the_grace(send: Send, transport: SendGridTransport) -> None:
    _heard(transport)
    Attempt.objects.filter(batch__send=send).update(finished_at=F("finished_at") + timedelta(seconds=55))


def _two_later_requests(send: Send, transport: SendGridTransport) -> None:
    _heard(transport, 2)


def _later_requests_hardly_heard(send: Send, transport: SendGridTransport) -> None:
    _heard(transport, 3, heard=98)


def _other_key(send: Send, transport: SendGridTransport) -> None:
    _heard(transport)
    Attempt.objects.filter(outcome="accepted").update(transport="sendgrid:other")


def _unapplied_receipt(send: Send, transport: SendGridTransport) -> None:
    _heard(transport)
    Receipt.objects.create(body=b"[]")


def _refused_webhook(send: Send, transport: SendGridTransport) -> None:
    _heard(transport)
    WebhookState.objects.update_or_create(
        provider="sendgrid", defaults={"refused_at": Attempt.objects.get(batch__send=send).fenced_at}
    )


def _silence_disabled(send: Send, transport: SendGridTransport) -> None:
    _heard(transport)
    TransportState.objects.update_or_create(name=transport.name, defaults={"silence_enabled": False})


@pytest.mark.parametrize(
    "spoil",
    [
        _fewer_passes,
        _within_the_grace,
        _two_later_requests,
        _later_requests_hardly_heard,
        _other_key,
        _unapplied_receipt,
        _refused_webhook,
        _silence_disabled,
    ],
)
def test_silence_proves_nothing_when_one_condition_fails(
    spoil: Any, unknown: Send, transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.reconciliation.probes.probe", lambda *args, **kwargs: False)
    spoil(unknown, transport)

    if spoil is not _fewer_passes:
        _passes(transport)

    assert _batch(unknown).status == Batch.Status.UNKNOWN


def test_without_a_later_request_probes_go_to_the_reply_to_address(
    unknown: Send, transport: SendGridTransport, sandbox: Sandbox
) -> None:
    silence.reconcile(transport=transport, grace=GRACE)
    silence.reconcile(transport=transport, grace=GRACE)

    (message,) = sandbox.ledger.messages(category="newsdesk-probe")
    assert message.recipient.address == "editors@example.com"
    for _ in range(2):
        _age(Attempt.objects.filter(batch=None).latest("fenced_at"), 2)
        silence.reconcile(transport=transport, grace=GRACE)
    assert sandbox.ledger.counts("newsdesk-probe")["requests"] == 3
    Attempt.objects.filter(batch=None).update(heard=1)
    _passes(transport)
    assert _batch(unknown).status == Batch.Status.PENDING


def test_no_probe_while_a_later_request_is_due(unknown: Send, transport: SendGridTransport, sandbox: Sandbox) -> None:
    make_prepared_send(1)

    _passes(transport)

    assert sandbox.ledger.counts("newsdesk-probe")["requests"] == 0


def test_a_probe_can_be_found_by_what_the_provider_called_it(
    unknown: Send, transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Accepted(http_status=202, provider_id="x" * 201)
    monkeypatch.setattr(SendGridTransport, "post", lambda _self, _body: answer)

    assert probes.probe(_batch(unknown).pk, transport=transport, every=1.0)

    sent = Attempt.objects.get(batch=None)
    # As much as is kept of any.
    assert (sent.outcome, sent.provider_id, sent.evidence[-1]["said"]) == ("accepted", "x" * 200, "accepted")


def test_of_a_probe_that_was_refused_stays_what_the_provider_said(
    unknown: Send, transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Refused(reason=Reason.NOT_ALLOWED, message="HTTP 403: no", http_status=403)
    monkeypatch.setattr(SendGridTransport, "post", lambda _self, _body: answer)

    assert probes.probe(_batch(unknown).pk, transport=transport, every=1.0)

    sent = Attempt.objects.get(batch=None)
    assert (sent.outcome, sent.evidence[-1]["said"]) == ("refused", "HTTP 403: no")


def test_an_accepted_probe_proves_nothing_of_the_first_batch_there_was() -> None:
    first = make_batch(pk=1, status=Batch.Status.UNKNOWN)
    sent = Attempt.objects.create(id=uuid4(), batch=None, number=0, size=1, transport="sendgrid:test")

    proof.prove_accepted({sent.pk: None}, by={"kind": "answer"})

    first.refresh_from_db()
    assert (first.status, first.attempt) == (Batch.Status.UNKNOWN, None)


def test_an_event_proves_that_it_was_accepted(unknown: Send, transport: SendGridTransport) -> None:
    attempt = Attempt.objects.get()

    proof.prove_accepted({attempt.pk: unknown.pk}, by={"kind": "event"})
    proof.prove_accepted({attempt.pk: unknown.pk}, by={"kind": "event"})

    assert _batch(unknown).status == Batch.Status.SUBMITTED
    unknown.refresh_from_db()
    assert unknown.status == Send.Status.SENDING
    attempt.refresh_from_db()
    assert (attempt.outcome, len(attempt.evidence)) == ("accepted", 2)


def test_batches_are_locked_in_the_order_of_their_ids(transport: SendGridTransport) -> None:
    lower, higher = make_batch(status="unknown"), make_batch(status="unknown")
    attempts = [make_attempt(higher, outcome="unknown"), make_attempt(lower, number=2, outcome="unknown")]

    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        proof.prove_accepted(dict.fromkeys(attempt.pk for attempt in attempts), by={"kind": "event"})

    locks = [
        query["sql"] for query in captured if "FOR UPDATE" in query["sql"] and '"tasks_batch"."id" = ' in query["sql"]
    ]
    assert [
        f'"tasks_batch"."id" = {batch.pk} ' in lock for batch, lock in zip((lower, higher), locks, strict=True)
    ] == [True, True]


def test_two_accepted_attempts_raise_an_alarm_and_disable_silence(
    unknown: Send, transport: SendGridTransport, sandbox: Sandbox
) -> None:
    make_editor()
    _heard(transport)
    _passes(transport)
    batch = _batch(unknown)
    posting.submit_batch(batch.pk, transport=transport)
    older = Attempt.objects.get(batch=batch, number=1)
    assert not Alarm.objects.exists()

    proof.prove_accepted({older.pk: unknown.pk}, by={"kind": "event"})

    alarm = Alarm.objects.get()
    assert (alarm.code, alarm.send) == ("accepted_twice", unknown)
    assert f"accepted batch {batch.pk} more than once: its {batch.size} readers" in alarm.message
    assert alarm.message in TransactionalMail.objects.get().text
    assert TransportState.objects.get(name=transport.name).silence_enabled is False
    assert Attempt.objects.filter(batch=batch, outcome="accepted").count() == 2
    assert counts(unknown).adds_up


def test_an_older_attempt_that_proves_accepted_takes_back_what_a_later_one_excluded(
    transport: SendGridTransport, fault: Any
) -> None:
    fault("bad-recipient", personalizations=[0], times=1)
    send = make_prepared_send(3)
    posting.submit_batch(_batch(send).pk, transport=transport)
    assert counts(send).failed == 1

    proof.prove_accepted({Attempt.objects.get().pk: send.pk}, by={"kind": "event"})

    numbers = counts(send)
    assert (numbers.submitted, numbers.failed, numbers.adds_up) == (3, 0, True)


def test_whom_the_accepted_request_had_left_out_itself_stays_without_the_edition() -> None:
    send = make_prepared_send(3)
    batch = _batch(send)
    first, second = (make_attempt(batch, number=number, outcome="unknown") for number in (1, 2))
    members = Delivery.objects.filter(batch_id=batch.pk).order_by("subscriber_id")
    by_first, by_second, _ = members.values_list("subscriber_id", flat=True)
    exclusions.exclude(batch.pk, send_id=send.pk, kind="excluded", reasons={by_first: "left"}, attempt=first.number)
    exclusions.exclude(batch.pk, send_id=send.pk, kind="failed", reasons={by_second: "bad"}, attempt=second.number)

    proof.prove_accepted({first.pk: send.pk}, by={"kind": "event"})

    batch.refresh_from_db()
    assert (batch.excluded, batch.failed) == (1, 0)
    assert list(Exclusion.objects.filter(send_id=send.pk).values_list("subscriber_id", flat=True)) == [by_first]


def test_a_proof_stands_where_its_send_cannot_be_finished_just_then(
    unknown: Send, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """Recovery finishes it; whoever applies events goes on with the next ones."""

    def unreachable(_: int) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(proof.finishing, "finish_if_done", unreachable)

    with django_capture_on_commit_callbacks(execute=True):
        proof.prove_accepted({Attempt.objects.get().pk: unknown.pk}, by={"kind": "event"})

    assert _batch(unknown).status == Batch.Status.SUBMITTED


def test_an_attempt_we_lack_pauses_its_send(transport: SendGridTransport) -> None:
    send = make_prepared_send(1)

    proof.prove_accepted({uuid4(): send.pk}, by={"kind": "answer"})

    send.refresh_from_db()
    assert send.status == Send.Status.PAUSED
    assert _batch(send).status == Batch.Status.UNKNOWN


@pytest.mark.django_db(transaction=True)
def test_two_proofs_at_once_of_an_attempt_we_lack_do_no_harm(another: Any) -> None:
    send = make_prepared_send(1)
    lacking = uuid4()
    another.execute(
        "INSERT INTO tasks_attempt (id, number, size, outcome, provider_id, transport, silent_passes, heard, evidence)"
        " VALUES (%s, 0, 0, 'accepted', '', 'lost', 0, 0, '[]')",
        [lacking],
    )

    def prove() -> None:
        with transaction.atomic():
            proof.prove_accepted({lacking: send.pk}, by={"kind": "answer"})
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(prove)
        eventually(lambda: waiting_for_locks("tasks_attempt"))
        another.execute("COMMIT")
        second.result()

    assert Attempt.objects.get(pk=lacking).evidence == []


def test_a_person_may_resend_or_leave(unknown: Send, transport: SendGridTransport) -> None:
    batch = _batch(unknown)

    assert decisions.leave(batch.pk, who="ada")
    _heard(transport)
    _passes(transport)
    assert _batch(unknown).status == Batch.Status.UNKNOWN
    assert decisions.resend(batch.pk, who="ada")
    assert _batch(unknown).status == Batch.Status.PENDING
    assert not decisions.resend(batch.pk, who="ada")
    assert [fact.get("decided") for fact in Attempt.objects.get(batch=batch).evidence] == [None, "leave", "resend"]
