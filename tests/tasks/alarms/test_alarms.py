"""What a person must look at reaches the desk, and where it cannot wait an inbox."""

from typing import Any

import pytest
from django.db import connection

from composer.models import Membership
from sandbox.server import Sandbox
from tasks.alarms import raising
from tasks.alarms.raising import raise_alarm
from tasks.models import Alarm, Batch, Send, TransactionalMail
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.sends import control, database_moved
from tasks.submission import recovery
from tasks.transactional import submitting
from tests.factories import make_editor, make_prepared_send, make_publication, make_subscriber, make_suppression

pytestmark = pytest.mark.django_db


def mailed_to() -> list[str]:
    return sorted(TransactionalMail.objects.values_list("to_email", flat=True))


def test_mails_go_to_active_people_who_may_approve_and_have_an_address() -> None:
    make_publication()
    make_editor("ada", first_name="Ada", last_name="Lovelace")
    Membership.objects.create(user=make_editor("bob", is_superuser=False), role="editor")
    elsewhere = make_publication()
    Membership.objects.create(user=make_editor("eve", is_superuser=False), role="publisher", publication=elsewhere)
    make_editor("ada2", email="ADA@example.com")
    make_editor("gone", is_active=False)
    make_editor("silent", email="")
    Membership.objects.create(user=make_editor("writer", is_superuser=False), role="writer")
    make_editor("bounced")
    make_suppression(make_subscriber(email="bounced@example.com"))

    raise_alarm(Alarm.Code.SLOT_MISSED, "Nobody approved it.", mail=True)

    assert mailed_to() == ["ada@example.com", "bob@example.com", "eve@example.com"]
    assert TransactionalMail.objects.get(to_email="ada@example.com").to_name == "Ada Lovelace"
    assert Alarm.objects.get().mailed_at is not None


def test_a_mail_says_what_happened_what_to_do_and_where(
    sandbox: Sandbox, transport: SendGridTransport, settings: Any
) -> None:
    settings.BASE_URL = "https://news.example.com"
    make_editor()
    send = make_prepared_send(1)

    control.pause(send.pk, "SendGrid refused: <no> credits")

    mail = TransactionalMail.objects.get()
    publication = send.edition.publication
    assert (mail.kind, mail.subject) == ("alarm", f"Newsdesk: send {send.pk} is paused")
    assert (mail.from_email, mail.publication) == (publication.from_email, publication)
    for part in ("SendGrid refused: <no> credits", f"newsdesk resume {send.pk}", "https://news.example.com/desk/"):
        assert part in mail.text
    assert "SendGrid refused: &lt;no&gt; credits" in mail.html
    assert 'href="https://news.example.com/desk/"' in mail.html
    assert submitting.submit_waiting(transport=transport) == 1
    (message,) = sandbox.ledger.messages()
    assert message.request.mail["headers"] == {"Auto-Submitted": "auto-generated"}
    assert message.request.mail["categories"] == ["newsdesk-alarm"]


def test_one_alarm_is_one_mail_for_each_person_until_it_is_cleared() -> None:
    make_editor()
    publication = make_publication()
    for _ in range(3):
        raise_alarm(Alarm.Code.SLOT_UNAPPROVED, "Not yet.", publication_id=publication.pk, mail=True)
    assert (Alarm.objects.count(), len(mailed_to())) == (1, 1)

    raise_alarm(Alarm.Code.SLOT_UNAPPROVED, "Not yet.", publication_id=make_publication().pk, mail=True)
    assert (Alarm.objects.count(), len(mailed_to())) == (2, 2)

    assert raising.clear(Alarm.objects.earliest("pk").pk, who="ada")
    assert not raising.clear(Alarm.objects.earliest("pk").pk, who="ada")
    raise_alarm(Alarm.Code.SLOT_UNAPPROVED, "Not yet.", publication_id=publication.pk, mail=True)
    assert (Alarm.objects.count(), len(mailed_to())) == (3, 3)


def test_a_pause_by_hand_is_shown_and_not_mailed() -> None:
    make_editor()
    send = make_prepared_send(1)

    control.pause(send.pk, "lunch", who="command line (bob)")

    assert Alarm.objects.get().code == "send_paused"
    assert mailed_to() == []


def test_what_pauses_a_send_is_mailed_once() -> None:
    make_editor()
    moved, lost = make_prepared_send(1), make_prepared_send(1)

    database_moved.pause_for_moved_database(moved.pk)
    Batch.objects.filter(send=lost).update(
        status="building", lost_attempts=recovery.MAX_LOST_ATTEMPTS - 1, claimed_at="2020-01-01T00:00Z", attempt=None
    )
    Batch.objects.filter(send=lost).update(attempt="00000000-0000-4000-8000-000000000000")
    recovery.release_abandoned()

    assert set(Send.objects.values_list("status", flat=True)) == {"paused"}
    assert sorted(Alarm.objects.values_list("code", flat=True)) == [
        "ground_moved",
        "lost_attempts",
        "send_paused",
        "send_paused",
    ]
    assert sorted(TransactionalMail.objects.values_list("subject", flat=True)) == [
        f"Newsdesk: send {moved.pk} is paused: the database has moved",
        f"Newsdesk: send {lost.pk} is paused: a batch has failed",
    ]


def test_without_a_publication_to_write_from_the_desk_alone_shows_it() -> None:
    make_editor()

    raise_alarm(Alarm.Code.SLOT_MISSED, "Nobody approved it.", mail=True)

    assert mailed_to() == []
    assert Alarm.objects.get().mailed_at is None


@pytest.mark.parametrize("broken", ["python", "database"])
def test_mails_that_cannot_be_written_fail_nobody(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Alarm) -> int:
        if broken == "python":
            raise ValueError("no")
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        return 1

    monkeypatch.setattr("tasks.alarms.raising.write_alarm_mails", refuse)
    send = make_prepared_send(1)

    assert control.pause(send.pk, "why")

    send.refresh_from_db()
    assert send.status == "paused"
    assert (Alarm.objects.get().code, Alarm.objects.get().mailed_at) == ("send_paused", None)
