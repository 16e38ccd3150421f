"""Things that happen at once or in the wrong order, each found by reading the code against it."""

import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.db.models import F
from django.utils import timezone

from newsdesk.core import process_identity
from subscribers.models import Subscriber
from tasks.attempts import proof
from tasks.audience import freezing
from tasks.feedback import applying, refusals
from tasks.models import Alarm, Attempt, Batch, Receipt, Send
from tasks.preparation import preparing
from tasks.providers.base import Reason, Refused, Unknown
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.reconciliation import decisions, silence
from tasks.sends import control, database_moved, scheduling
from tasks.sends.counts import counts
from tasks.submission import outcomes, posting, recovery
from tasks.submission.building import Built, build
from tasks.submission.claiming import Claim, claim_batch
from tasks.submission.fencing import fence
from tests.factories import make_approval, make_attempt, make_list, make_prepared_send, make_send

pytestmark = pytest.mark.django_db
GRACE = 10.0


def _only(send: Send) -> Batch:
    return Batch.objects.get(send=send)


def _fenced(send: Send, transport: SendGridTransport) -> tuple[Claim, Built]:
    claim = claim_batch(_only(send).pk, attempt=uuid4(), transport=transport.name)
    assert claim is not None
    built = build(claim)
    assert fence(claim, built, transport=transport.name)
    return claim, built


def _reconcile(transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything else that silence asks for is given: age, later requests that were heard of, passes."""
    monkeypatch.setattr("tasks.reconciliation.probes.probe", lambda *_, **__: False)
    past = timedelta(seconds=60)
    Attempt.objects.update(fenced_at=F("fenced_at") - past, finished_at=F("finished_at") - past)
    for _ in range(3):
        make_attempt(size=100, heard=100, transport=transport.name, outcome="accepted")
    for _ in range(6):
        silence.reconcile(transport=transport, grace=GRACE)


def test_after_the_database_has_moved_a_persons_decision_is_carried_out(transport: SendGridTransport) -> None:
    send = make_prepared_send(2)
    Send.objects.update(system_identifier="another")
    posting.submit_batch(_only(send).pk, transport=transport)
    assert counts(send).status == "paused"

    assert decisions.resend(_only(send).pk, who="ada")
    assert control.resume(send.pk)
    posting.submit_batch(_only(send).pk, transport=transport)

    assert (counts(send).status, _only(send).status) == ("sent", "submitted")


def test_a_send_restored_to_before_its_preparation_is_not_prepared_again() -> None:
    approval = make_approval()
    send = scheduling.schedule(approval.edition, lists=[make_list(approval.edition.publication)])
    Send.objects.update(system_identifier="another")

    assert preparing.prepare(send.pk) is None
    assert counts(send).status == "paused"
    assert not control.resume(send.pk)
    assert control.cancel(send.pk)


def test_a_cancel_between_the_recoverys_question_and_its_write_leaves_nothing_pending(
    transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = make_prepared_send(2)
    assert claim_batch(_only(send).pk, attempt=uuid4(), transport=transport.name)

    def dead_and_cancelled(_: str) -> bool:
        control.cancel(send.pk)
        return True

    monkeypatch.setattr(process_identity, "is_dead", dead_and_cancelled)
    recovery.release_abandoned()

    told = counts(send)
    assert (told.status, told.pending, told.excluded) == ("cancelled", 0, {"cancelled": 2})


def test_recovery_cancels_what_came_back_into_a_cancelled_send(transport: SendGridTransport) -> None:
    send = make_prepared_send(2)
    Send.objects.update(status=Send.Status.CANCELLED)

    recovery.recover()

    assert counts(send).excluded == {"cancelled": 2}


def test_resending_what_was_never_fenced_in_a_cancelled_send_cancels_it(transport: SendGridTransport) -> None:
    send = make_prepared_send(2)
    database_moved.pause_for_moved_database(send.pk)
    control.cancel(send.pk)
    assert (_only(send).status, _only(send).attempt) == ("unknown", None)

    assert decisions.resend(_only(send).pk, who="ada")

    assert counts(send).excluded == {"cancelled": 2}


def test_a_refused_webhook_spoils_silence_even_as_the_first_sign_of_a_key(
    transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = make_prepared_send(2)
    _fenced(send, transport)
    monkeypatch.setattr(process_identity, "is_dead", lambda _: True)
    recovery.release_abandoned()
    refusals.Refusals("sendgrid").note()

    _reconcile(transport, monkeypatch)

    assert _only(send).status == "unknown"


def test_a_time_in_which_nothing_was_heard_spoils_silence(
    transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address was away for more than a day: SendGrid has given up on all reports of those hours."""
    send = make_prepared_send(2)
    claim, built = _fenced(send, transport)
    outcomes.record(claim, built, Unknown(message="reset"), transport=transport.name)
    make_attempt(size=1000, heard=0, transport=transport.name, outcome="accepted")

    _reconcile(transport, monkeypatch)

    assert _only(send).status == "unknown"


def test_a_database_that_forgot_commits_does_not_believe_in_silence(
    transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = make_prepared_send(2)
    claim, built = _fenced(send, transport)
    outcomes.record(claim, built, Unknown(message="reset"), transport=transport.name)
    proof.prove_accepted({uuid4(): send.pk}, by={"kind": "answer"})

    _reconcile(transport, monkeypatch)

    assert _only(send).status == "unknown"


def test_later_proof_of_a_lost_attempt_does_not_undo_a_persons_decision(transport: SendGridTransport) -> None:
    send = make_prepared_send(2)
    lost = uuid4()
    proof.prove_accepted({lost: send.pk}, by={"kind": "answer"})
    assert decisions.resend(_only(send).pk, who="ada")
    assert control.resume(send.pk)

    proof.prove_accepted({lost: send.pk}, by={"kind": "answer"})

    assert counts(send).status == "sending"


@pytest.mark.parametrize("status", ["paused", "sent", "cancelled"])
def test_an_attempt_we_lack_raises_an_alarm_whatever_the_send_does(status: str) -> None:
    send = make_prepared_send(1)
    Send.objects.update(status=status)

    proof.prove_accepted({uuid4(): send.pk}, by={"kind": "answer"})

    assert Alarm.objects.filter(send=send, code="ground_moved").exists()


def test_one_send_that_cannot_be_prepared_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = make_send(1, scheduled_at=timezone.now() - timedelta(minutes=5))
    good = make_send(1, scheduled_at=timezone.now() - timedelta(minutes=1))
    original = freezing._freeze_sql

    def broken(send: Send, *rest: Any) -> Any:
        if send.pk == bad.pk:
            raise ValueError("something nobody thought of")
        return original(send, *rest)

    monkeypatch.setattr(freezing, "_freeze_sql", broken)

    assert preparing.prepare_due() == 1
    assert (counts(good).status, counts(bad).status) == ("sending", "paused")


def test_a_late_bounce_without_ids_is_not_counted_in_a_send_that_is_not_out() -> None:
    send = make_prepared_send(1)
    bounce = {"event": "bounce", "type": "bounce", "email": Subscriber.objects.get().email, "timestamp": time.time()}

    applying.apply_receipt(Receipt.objects.create(body=json.dumps([bounce]).encode()).pk)

    assert counts(send).bounced == 0


def test_a_nul_in_an_answer_does_not_lose_the_record(transport: SendGridTransport) -> None:
    send = make_prepared_send(1)
    claim, built = _fenced(send, transport)

    outcomes.record(claim, built, Unknown(message="HTTP 502: \x00", http_status=502), transport=transport.name)

    assert _only(send).status == "unknown"


def test_a_refusal_recorded_in_two_tries_still_pauses(
    transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = make_prepared_send(1)
    claim, built = _fenced(send, transport)
    original, tries = control.pause, []

    def pause(*args: Any) -> bool:
        tries.append(args)
        if len(tries) == 1:
            raise OperationalError("gone")
        return original(*args)

    monkeypatch.setattr(control, "pause", pause)
    refused = Refused(reason=Reason.NOT_ALLOWED, message="HTTP 401", http_status=401)

    with pytest.raises(OperationalError):
        outcomes.record(claim, built, refused, transport=transport.name)
    outcomes.record(claim, built, refused, transport=transport.name)

    assert counts(send).status == "paused"


def test_a_machine_without_files_to_open_has_no_dead_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    me = process_identity.current_process()

    def too_many(*_: Any, **__: Any) -> str:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(Path, "read_text", too_many)

    assert not process_identity.is_dead(me)
