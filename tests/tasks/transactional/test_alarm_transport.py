"""Mails about alarms go by a server of their own where one is set."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from sandbox.server import Sandbox
from tasks.alarms.raising import raise_alarm
from tasks.models import Alarm, TransactionalMail
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.transactional import recovery, submitting
from tests.factories import make_editor, make_publication, make_transactional_mail
from tests.smtp_server import SmtpSink, running
from tests.tasks.providers.conftest import server_of

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture
def alarm() -> Alarm:
    make_editor()
    raise_alarm(Alarm.Code.SLOT_MISSED, "Nobody approved it.", publication_id=make_publication().pk, mail=True)
    return Alarm.objects.get()


def test_an_alarm_arrives_while_the_provider_refuses_everything(
    sink: SmtpSink, alarm: Alarm, transport: SendGridTransport, fault: Any, sandbox: Sandbox
) -> None:
    fault("credits-exceeded")

    assert submitting.submit_waiting(transport=transport) == 1

    assert sink.addresses() == ["ada@example.com"]
    assert TransactionalMail.objects.get().status == "submitted"
    assert list(sandbox.ledger.messages()) == []


def test_other_single_mails_go_the_usual_way(sink: SmtpSink, transport: SendGridTransport, sandbox: Sandbox) -> None:
    make_transactional_mail()

    assert submitting.submit_waiting(transport=transport) == 1

    assert sink.addresses() == []
    assert len(list(sandbox.ledger.messages())) == 1


def test_without_the_setting_an_alarm_goes_the_usual_way(
    alarm: Alarm, transport: SendGridTransport, sandbox: Sandbox
) -> None:
    assert submitting.submit_waiting(transport=transport) == 1

    assert len(list(sandbox.ledger.messages())) == 1


def test_a_server_that_is_away_leaves_the_mail_to_be_tried_again(
    alarm: Alarm, transport: SendGridTransport, settings: Any
) -> None:
    with running(SmtpSink()) as gone:
        settings.ALARM_SMTP_SERVER = server_of(gone)

    submitting.submit_waiting(transport=transport)

    assert TransactionalMail.objects.get().status == "pending"


def _due_again() -> None:
    TransactionalMail.objects.update(not_before=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize("kind", ["credits-exceeded", "rate-limit"])
def test_a_provider_in_trouble_is_told_of_once_it_is_over(
    kind: str, alarm: Alarm, transport: SendGridTransport, fault: Any, sandbox: Sandbox
) -> None:
    """What is wrong with it is what the mail is about."""
    fault(kind)
    for _ in range(submitting.MAX_TRIES + 1):
        assert submitting.submit_waiting(transport=transport) == 1
        mail = TransactionalMail.objects.get()
        assert (mail.status, mail.finished_at) == ("pending", None)
        assert mail.not_before <= timezone.now() + timedelta(seconds=400)
        _due_again()
    sandbox.faults.remove()

    assert submitting.submit_waiting(transport=transport) == 1

    assert TransactionalMail.objects.get().status == "submitted"
    assert list(sandbox.ledger.messages())


@pytest.mark.parametrize("kind", ["bad-gateway", "accept-then-close"])
def test_of_which_nobody_knows_whether_it_is_out_it_is_tried_some_times_in_hours(
    kind: str, alarm: Alarm, transport: SendGridTransport, fault: Any, sandbox: Sandbox
) -> None:
    fault(kind)
    for _ in range(submitting.MAX_TRIES - 1):
        assert submitting.submit_waiting(transport=transport) == 1
        mail = TransactionalMail.objects.get()
        assert mail.status == "pending"
        assert mail.not_before > timezone.now() + timedelta(minutes=29)
        _due_again()

    assert submitting.submit_waiting(transport=transport) == 1

    assert TransactionalMail.objects.get().status == "unknown"
    assert sandbox.ledger.counts()["accepted"] <= submitting.MAX_TRIES


def test_others_wait_for_the_one_that_was_not_taken(alarm: Alarm, transport: SendGridTransport, fault: Any) -> None:
    fault("rate-limit", retry_after=60, times=1)
    make_transactional_mail("eve@example.com", kind="alarm")
    test = make_transactional_mail("eve@example.com")

    assert submitting.submit_waiting(transport=transport, limit=1) == 1

    waiting = TransactionalMail.objects.filter(kind="alarm")
    assert all(mail.not_before > timezone.now() + timedelta(seconds=50) for mail in waiting)
    assert submitting.submit_waiting(transport=transport) == 1
    test.refresh_from_db()
    assert test.status == "submitted"


def test_a_lost_answer_to_one_keeps_no_other_waiting(
    alarm: Alarm, transport: SendGridTransport, fault: Any, sandbox: Sandbox
) -> None:
    fault("accept-then-close", times=1)
    other = make_transactional_mail("eve@example.com", kind="alarm")

    assert submitting.submit_waiting(transport=transport, limit=1) == 1
    assert submitting.submit_waiting(transport=transport) == 1

    other.refresh_from_db()
    assert other.status == "submitted"


def test_it_is_given_up_after_a_day(alarm: Alarm, transport: SendGridTransport, fault: Any) -> None:
    fault("credits-exceeded")
    TransactionalMail.objects.update(attempts=submitting.MAX_ALARM_TRIES - 1)

    assert submitting.submit_waiting(transport=transport) == 1

    assert TransactionalMail.objects.get().status == "failed"
    waits = [min(2.0 * 2**tries, 300.0) for tries in range(submitting.MAX_ALARM_TRIES)]
    assert timedelta(hours=23) < timedelta(seconds=sum(waits)) < timedelta(hours=25)


def test_an_address_that_the_provider_refuses_is_not_asked_again(
    alarm: Alarm, transport: SendGridTransport, fault: Any
) -> None:
    fault("bad-recipient", personalizations=[0])

    assert submitting.submit_waiting(transport=transport) == 1

    assert TransactionalMail.objects.get().status == "failed"


def test_a_worker_that_died_with_it_leaves_it_to_another(alarm: Alarm, transport: SendGridTransport) -> None:
    mail = TransactionalMail.objects.get()
    TransactionalMail.objects.update(
        status="submitting",
        attempt=uuid4(),
        attempts=1,
        claimed_at=timezone.now() - timedelta(hours=1),
        claimed_by="elsewhere",
    )

    recovery.release_abandoned(transport=transport)

    mail.refresh_from_db()
    assert mail.status == "pending"
    assert "Nobody knows whether it went out" in mail.said
    _due_again()
    assert submitting.submit_waiting(transport=transport) == 1
