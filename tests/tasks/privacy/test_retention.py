"""What is older than its setting goes, and nothing else."""

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.utils import timezone

from newsdesk.core.home import Home
from tasks import celery_tasks
from tasks.database import deleting
from tasks.models import Event, Receipt, TransactionalMail, UnmatchedReport
from tasks.privacy.retention import keep_periods
from tests import factories

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any) -> Home:
    settings.HOME = Home(tmp_path)
    settings.NEWSDESK_MAILDIR = tmp_path / "maildir"
    return Home(tmp_path)


def ago(days: float) -> Any:
    return timezone.now() - timedelta(days=days)


def an_event(number: int, send_id: int | None, days: float) -> None:
    Event.objects.create(key=number.to_bytes(16, "big"), send_id=send_id, kind="opened", at=ago(days))


def test_events_go_when_their_send_is_long_over() -> None:
    old = factories.make_send(scheduled_at=ago(900))
    new = factories.make_send(scheduled_at=ago(700))
    for number, (send_id, days) in enumerate([(old.pk, 890), (new.pk, 690), (old.pk, 3), (None, 740), (None, 720)]):
        an_event(number, send_id, days)

    assert keep_periods()["events"] == 2

    assert {int.from_bytes(key, "big") for key in Event.objects.values_list("key", flat=True)} == {1, 2, 4}


def test_what_is_kept_of_unmatched_reports_goes_with_events() -> None:
    send = factories.make_send()
    for number, days in enumerate((731, 729)):
        UnmatchedReport.objects.create(
            key=number.to_bytes(16, "big"), send=send, attempt=uuid4(), recorded_at=ago(days)
        )

    assert keep_periods()["unmatched_reports"] == 1

    assert [bytes(key) for key in UnmatchedReport.objects.values_list("key", flat=True)] == [(1).to_bytes(16, "big")]


def test_single_mails_go_once_they_are_settled() -> None:
    for status in ("submitted", "unknown", "failed", "pending", "submitting"):
        mail = factories.make_transactional_mail()
        TransactionalMail.objects.filter(pk=mail.pk).update(status=status, created_at=ago(91))
    factories.make_transactional_mail()

    assert keep_periods()["mails"] == 3
    assert sorted(TransactionalMail.objects.values_list("status", flat=True)) == ["pending", "pending", "submitting"]


def test_logins_go_once_they_have_ended() -> None:
    ada = factories.make_editor()
    for key, expires, seen in (("over", ago(31), ago(32)), ("on", ago(-1), ago(40)), ("just", ago(2), ago(3))):
        Session.objects.create(session_key=key, session_data="", expire_date=expires)
        UserSession.objects.create(user=ada, session_key=key, ip="203.0.113.9", user_agent="x", last_seen_at=seen)
        UserSession.objects.filter(session_key=key).update(last_seen_at=seen)

    done = keep_periods()

    assert (done["sessions"], done["logins"]) == (1, 1)
    assert set(UserSession.objects.values_list("session_key", flat=True)) == {"on", "just"}


def test_old_files_go(home: Home) -> None:
    folders = [home.maildir / "new", home.maildir / "cur", home.sandbox / "outbox" / "new", home.exports, home.logs]
    for folder in folders:
        folder.mkdir(parents=True)
        for name, days in (("old", 91), ("middle", 8), ("new", 1)):
            (folder / name).write_text("x")
            os.utime(folder / name, (time.time() - days * 86_400,) * 2)

    done = keep_periods()

    assert (done["files"], done["exports"]) == (3, 2)
    assert [len(list(folder.iterdir())) for folder in folders] == [2, 2, 2, 1, 3]


def test_nought_keeps_everything(settings: Any) -> None:
    settings.EVENT_DAYS = settings.MAIL_DAYS = settings.RECEIPT_DAYS = 0
    an_event(1, None, 9000)
    mail = factories.make_transactional_mail()
    TransactionalMail.objects.filter(pk=mail.pk).update(status="failed", created_at=ago(9000))
    Receipt.objects.create(body=b"[]", applied_at=ago(9000))

    assert not any(keep_periods().values())


def test_it_goes_in_pieces_and_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deleting, "CHUNK", 2)
    for number in range(7):
        an_event(number, None, 900)

    assert keep_periods(seconds=0)["events"] == 2
    assert keep_periods()["events"] == 5


def test_beat_does_it_every_night() -> None:
    Receipt.objects.create(body=b"[]", applied_at=ago(31))
    an_event(1, None, 900)

    celery_tasks.expire_receipts()

    assert not Receipt.objects.exists()
    assert not Event.objects.exists()
