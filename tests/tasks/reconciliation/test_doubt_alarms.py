"""An unknown batch that will not settle by itself, or has not for an hour, tells a person."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from tasks import celery_tasks
from tasks.alarms import raising
from tasks.models import Alarm, Attempt, Batch, Send, TransactionalMail
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.reconciliation import decisions, doubt_alarms
from tests.factories import make_attempt, make_batch, make_editor, make_send

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ada() -> Any:
    return make_editor()


def unknown(transport: str, *, send: Send | None = None, ago: float = 60, size: int = 13) -> Batch:
    """A batch of a sending send whose attempt ended so many seconds ago without an answer."""
    batch = make_batch(send, size=size, status=Batch.Status.UNKNOWN)
    at = timezone.now() - timedelta(seconds=ago)
    attempt = make_attempt(batch, transport=transport, fenced_at=at, finished_at=at, outcome="unknown")
    batch.attempt = attempt.pk
    batch.save(update_fields=["attempt"])
    return batch


def messages() -> list[str]:
    """Of the open alarms."""
    celery_tasks.reconcile()
    return list(Alarm.objects.filter(code="in_doubt", cleared_at=None).values_list("message", flat=True))


def test_what_smtp_left_in_doubt_is_told_at_once_and_once(transport: SendGridTransport) -> None:
    batch = unknown("smtp:1", ago=1)
    unknown("smtp:1", send=batch.send, ago=1, size=4)

    (message,) = messages()

    assert message.startswith("17 readers are in doubt: ")
    assert "The SMTP server tells later only of mails that come back" in message
    assert messages() == [message]
    mail = TransactionalMail.objects.get()
    assert (mail.kind, mail.subject) == ("alarm", f"Newsdesk: send {batch.send_id}: some readers are in doubt")
    assert f"newsdesk evidence {batch.send_id}" in mail.text


def test_what_a_server_may_yet_report_is_told_after_an_hour(transport: SendGridTransport, settings: Any) -> None:
    settings.SMTP_SUCCESS_REPORTS = True
    batch = unknown("smtp:1", ago=3500)
    assert messages() == []
    Attempt.objects.update(finished_at=F("finished_at") - timedelta(seconds=200))

    (message,) = messages()

    assert "was asked to report each mail that arrives" in message
    assert Alarm.objects.get().send_id == batch.send_id


def test_what_lies_in_a_folder_is_never_told_of(transport: SendGridTransport) -> None:
    unknown("file:1", ago=1)

    assert "never tells later" in messages()[0]


def test_what_went_out_with_another_key_is_told_at_once(transport: SendGridTransport) -> None:
    unknown("sendgrid:rotated", ago=1, size=1)

    (message,) = messages()

    assert message.startswith("1 reader is in doubt: ")
    assert "another key" in message


def test_what_another_database_had_been_told_of_is_told_once_no_event_comes(transport: SendGridTransport) -> None:
    batch = unknown(transport.name, ago=290, size=2)
    Attempt.objects.update(evidence=[{"kind": "ground_moved", "why": "promoted"}])
    assert messages() == []
    Attempt.objects.filter(pk=batch.attempt).update(finished_at=timezone.now() - timedelta(seconds=310))

    (message,) = messages()

    assert message.startswith("2 readers are in doubt: ")
    assert "Another database serves since they were sent" in message
    assert "by itself" not in message


def test_of_several_reasons_the_most_certain_is_told(transport: SendGridTransport) -> None:
    batch = unknown("sendgrid:rotated", ago=5000, size=1)
    unknown(transport.name, send=batch.send, ago=4000, size=2)

    (message,) = messages()

    assert message.startswith("3 readers are in doubt: ")
    assert "another key" in message
    unknown("smtp:1", send=batch.send, ago=1, size=3)
    (message,) = messages()
    assert message.startswith("6 readers are in doubt: ")
    assert "The SMTP server tells later only" in message


@pytest.mark.parametrize(
    ("surer", "other", "told"),
    [
        ({"transport": "smtp:1", "ago": 1}, {"transport": "sendgrid:rotated", "ago": 1}, "The SMTP server tells later"),
        ({"transport": "sendgrid:rotated", "ago": 1}, {"moved": True, "ago": 400}, "another key"),
        ({"moved": True, "ago": 400}, {"ago": 4000}, "Another database"),
    ],
)
def test_each_reason_goes_before_those_that_are_less_certain(
    surer: dict[str, Any], other: dict[str, Any], told: str, transport: SendGridTransport
) -> None:
    send = make_send()
    for fields in (other, surer):
        moved = fields.pop("moved", False)
        batch = unknown(**{"transport": transport.name, "send": send, **fields})
        if moved:
            Attempt.objects.filter(pk=batch.attempt).update(evidence=[{"kind": "ground_moved"}])

    assert told in doubt_alarms.in_doubt()[send.pk]


def test_an_hour_is_an_hour_and_five_minutes_are_five() -> None:
    assert (doubt_alarms.PATIENCE, doubt_alarms.PATIENCE_FOR_EVENTS) == (60 * 60, 5 * 60)


def test_what_may_settle_by_itself_is_told_after_an_hour(transport: SendGridTransport) -> None:
    batch = unknown(transport.name, ago=3500)
    assert messages() == []

    Attempt.objects.filter(pk=batch.attempt).update(finished_at=timezone.now() - timedelta(seconds=3700))

    (message,) = messages()
    assert "more than an hour" in message


def test_a_batch_that_the_moved_database_left_without_an_attempt_is_told_after_an_hour(
    transport: SendGridTransport,
) -> None:
    long_ago = timezone.now() - timedelta(hours=2)
    send = make_send(status=Send.Status.SENDING, prepared_at=long_ago)
    make_batch(send, size=2, status=Batch.Status.UNKNOWN)

    (message,) = messages()

    assert message.startswith("2 readers are in doubt: ")


def test_each_send_has_an_alarm_of_its_own_that_ends_when_all_of_it_is_settled(transport: SendGridTransport) -> None:
    first, other = unknown("smtp:1"), unknown("smtp:1")
    second = unknown("smtp:1", send=first.send, size=2)
    assert len(messages()) == 2

    assert decisions.leave(first.pk, who="ada")
    assert len(messages()) == 2
    assert Alarm.objects.get(send=first.send_id, cleared_at=None).message.startswith("2 readers are")

    assert decisions.resend(second.pk, who="ada")
    messages()
    assert list(Alarm.objects.filter(cleared_at=None).values_list("send", flat=True)) == [other.send_id]
    assert TransactionalMail.objects.count() == 2


def test_an_alarm_that_a_person_cleared_comes_back_with_a_new_doubt_only(transport: SendGridTransport) -> None:
    batch = unknown("smtp:1")
    messages()
    assert raising.clear(Alarm.objects.get().pk, who="ada")
    assert messages() == []

    unknown("smtp:1", send=batch.send, ago=-1, size=1)

    (message,) = messages()
    assert message.startswith("14 readers")


def test_a_doubt_whose_hour_ends_after_an_alarm_was_cleared_is_told(transport: SendGridTransport) -> None:
    """It was there when the alarm was raised, which did not speak of it yet."""
    batch = unknown(transport.name, ago=3700)
    later = unknown(transport.name, send=batch.send, ago=3000, size=1)
    assert [message.split()[0] for message in messages()] == ["13"]
    decisions.leave(batch.pk, who="ada")
    assert raising.clear(Alarm.objects.get().pk, who="ada")
    assert messages() == []

    # Ten minutes and some later.
    Attempt.objects.filter(pk=later.attempt).update(finished_at=timezone.now() - timedelta(seconds=3601))
    Alarm.objects.update(raised_at=timezone.now() - timedelta(seconds=601))

    assert [message.split()[0] for message in messages()] == ["1"]
    assert raising.clear(Alarm.objects.get(cleared_at=None).pk, who="ada")
    assert messages() == []


@pytest.mark.parametrize(("after_the_look", "is_told"), [(-0.5, False), (0.0, False), (0.5, True)])
def test_a_doubt_that_began_after_the_look_before_the_clearing_is_told_again(
    after_the_look: float, is_told: bool, transport: SendGridTransport
) -> None:
    """Who cleared the alarm may have read of what a look a minute earlier found, and of nothing that began since."""
    batch = unknown("smtp:1", ago=600)
    messages()
    assert raising.clear(Alarm.objects.get().pk, who="ada")
    cleared_at = timezone.now() - timedelta(seconds=100)
    Alarm.objects.update(raised_at=cleared_at - timedelta(seconds=400), cleared_at=cleared_at)

    later = unknown("smtp:1", send=batch.send, size=1)
    began = cleared_at + timedelta(seconds=after_the_look - 60)
    Attempt.objects.filter(pk=later.attempt).update(finished_at=began)

    assert len(messages()) == is_told


def test_a_doubt_that_an_open_alarm_has_taken_in_is_not_told_again(transport: SendGridTransport) -> None:
    batch = unknown(transport.name, ago=7300)
    later = unknown(transport.name, send=batch.send, ago=3000, size=1)
    messages()
    # An hour and more later both stand there, and somebody has read of both.
    Alarm.objects.update(raised_at=timezone.now() - timedelta(seconds=3700))
    Attempt.objects.filter(pk=later.attempt).update(finished_at=timezone.now() - timedelta(seconds=6700))
    assert [message.split()[0] for message in messages()] == ["14"]
    assert raising.clear(Alarm.objects.get().pk, who="ada")

    assert messages() == []


def test_a_batch_without_an_attempt_can_be_left_too(transport: SendGridTransport) -> None:
    """A database that moved leaves such batches."""
    batch = make_batch(make_send(prepared_at=timezone.now() - timedelta(hours=2)), status=Batch.Status.UNKNOWN, size=5)
    assert messages()
    assert decisions.undecided(batch.send_id) == [batch]

    assert decisions.leave(batch.pk, who="ada")

    assert decisions.undecided(batch.send_id) == []
    assert messages() == []


def test_a_batch_that_was_left_and_claimed_again_is_undecided(transport: SendGridTransport) -> None:
    batch = unknown("smtp:1", ago=1)
    decisions.leave(batch.pk, who="ada")

    Batch.objects.filter(pk=batch.pk).update(attempts=F("attempts") + 1)

    assert decisions.undecided(batch.send_id) == [batch]
