"""Mails about alarms go by their own server and the usual way in turn, and a server that does not take them is told of."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from sandbox.server import Sandbox
from tasks.alarms import ways
from tasks.alarms.raising import raise_alarm
from tasks.models import Alarm, AlarmWay, TransactionalMail
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.providers.smtp.transport import SmtpTransport
from tasks.transactional import submitting
from tests.factories import make_editor, make_publication, make_transactional_mail
from tests.smtp_server import ACCEPT_THEN_CLOSE, SmtpSink

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

EXPIRED = "535 5.7.8 the password has expired"


@pytest.fixture
def mail() -> TransactionalMail:
    make_publication()
    return make_transactional_mail("ada@example.com", kind="alarm")


def answering(sink: SmtpSink, stage: str, reply: str) -> None:
    sink.script = lambda at, _number, _recipient: reply if at == stage else ""


def due_again() -> None:
    TransactionalMail.objects.update(not_before=timezone.now() - timedelta(seconds=1))


def outbox(sandbox: Sandbox) -> int:
    return len(list(sandbox.ledger.messages()))


@pytest.mark.parametrize("stage", ["greeting", "mail"])
def test_what_its_server_refused_goes_the_usual_way_within_seconds(
    stage: str, sink: SmtpSink, mail: TransactionalMail, transport: SendGridTransport, sandbox: Sandbox
) -> None:
    answering(sink, stage, EXPIRED)

    assert submitting.submit_waiting(transport=transport) == 1
    mail.refresh_from_db()
    assert mail.status == "pending"
    assert mail.not_before < timezone.now() + timedelta(seconds=5)
    due_again()
    assert submitting.submit_waiting(transport=transport) == 1

    mail.refresh_from_db()
    assert (mail.status, outbox(sandbox), sink.addresses()) == ("submitted", 1, [])


def test_while_both_fail_each_is_tried_in_turn(
    sink: SmtpSink, mail: TransactionalMail, transport: SendGridTransport, fault: Any
) -> None:
    answering(sink, "greeting", EXPIRED)
    fault("credits-exceeded")
    for _ in range(4):
        assert submitting.submit_waiting(transport=transport) == 1
        due_again()
    assert sink.connections == 2
    sink.script = SmtpSink().script

    assert submitting.submit_waiting(transport=transport) == 1

    mail.refresh_from_db()
    assert (mail.status, mail.attempts, sink.addresses()) == ("submitted", 5, ["ada@example.com"])


def test_a_mail_in_doubt_there_is_left_for_half_an_hour_before_the_usual_way_has_it(
    sink: SmtpSink, mail: TransactionalMail, transport: SendGridTransport, sandbox: Sandbox
) -> None:
    answering(sink, "text", ACCEPT_THEN_CLOSE)

    assert submitting.submit_waiting(transport=transport) == 1
    assert submitting.submit_waiting(transport=transport) == 0

    mail.refresh_from_db()
    assert mail.status == "pending"
    assert mail.not_before > timezone.now() + timedelta(minutes=29)
    assert (sink.addresses(), outbox(sandbox)) == (["ada@example.com"], 0)


def test_a_server_that_does_not_relay_for_us_does_not_have_the_last_word(
    sink: SmtpSink, mail: TransactionalMail, transport: SendGridTransport, sandbox: Sandbox
) -> None:
    answering(sink, "rcpt", "550 5.7.1 relaying denied")

    submitting.submit_waiting(transport=transport)
    due_again()
    submitting.submit_waiting(transport=transport)

    mail.refresh_from_db()
    assert (mail.status, outbox(sandbox)) == ("submitted", 1)


def test_what_both_refuse_for_its_own_sake_is_given_up(
    sink: SmtpSink, mail: TransactionalMail, transport: SendGridTransport, fault: Any
) -> None:
    answering(sink, "rcpt", "550 5.1.1 no such user")
    fault("bad-recipient", personalizations=[0])
    for _ in range(6):
        submitting.submit_waiting(transport=transport)
        due_again()

    mail.refresh_from_db()
    assert (mail.status, mail.attempts) == ("failed", 3)


def test_only_those_wait_that_go_the_same_way_next(
    sink: SmtpSink, mail: TransactionalMail, transport: SendGridTransport
) -> None:
    answering(sink, "greeting", EXPIRED)
    same, other = (make_transactional_mail(f"{name}@example.com", kind="alarm") for name in ("bob", "eve"))
    TransactionalMail.objects.filter(pk=other.pk).update(attempts=1)

    assert submitting.submit_mail(mail.pk, transport=transport)

    same.refresh_from_db()
    other.refresh_from_db()
    assert same.not_before > timezone.now()
    assert other.not_before <= timezone.now()


def test_a_try_that_another_worker_made_meanwhile_is_not_made_by_the_wrong_way(
    sink: SmtpSink, mail: TransactionalMail, transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = SmtpTransport.encode

    def slowly(*args: Any, **options: Any) -> Any:
        TransactionalMail.objects.update(attempts=1)
        return encode(*args, **options)

    monkeypatch.setattr(SmtpTransport, "encode", slowly)

    assert not submitting.submit_mail(mail.pk, transport=transport)
    assert sink.connections == 0


def test_a_server_that_takes_none_is_told_of_by_the_usual_way_and_never_of_itself(
    sink: SmtpSink, transport: SendGridTransport, sandbox: Sandbox
) -> None:
    make_editor()
    raise_alarm(Alarm.Code.SLOT_MISSED, "Nobody approved it.", publication_id=make_publication().pk, mail=True)
    answering(sink, "greeting", EXPIRED)
    for _ in range(6):
        submitting.submit_waiting(transport=transport)
        ways.look()
        due_again()

    assert outbox(sandbox) == 2
    told = Alarm.objects.get(code="alarm_mail_server")
    assert "the password has expired" in told.message
    assert told.mailed_at is not None
    assert set(TransactionalMail.objects.values_list("status", flat=True)) == {"submitted"}


def test_it_is_over_once_the_server_takes_one_and_comes_back_at_most_once_a_day(
    sink: SmtpSink, transport: SendGridTransport, mail: TransactionalMail
) -> None:
    AlarmWay.objects.create(name="mail server", failures=3, said=EXPIRED)
    ways.look()
    submitting.submit_waiting(transport=transport)
    ways.look()
    assert Alarm.objects.get().cleared_at is not None

    AlarmWay.objects.update(failures=1, said=EXPIRED)
    ways.look()
    assert Alarm.objects.count() == 1
    Alarm.objects.update(raised_at=timezone.now() - timedelta(days=2))
    ways.look()
    assert Alarm.objects.filter(cleared_at=None).count() == 1


def test_a_server_that_is_no_longer_set_is_no_longer_told_of(mail: TransactionalMail, settings: Any) -> None:
    AlarmWay.objects.create(name="mail server", failures=3, said=EXPIRED)
    Alarm.objects.create(code="alarm_mail_server", message="It fails.")
    settings.ALARM_SMTP_SERVER = None

    ways.look()

    assert not Alarm.objects.filter(cleared_at=None).exists()
