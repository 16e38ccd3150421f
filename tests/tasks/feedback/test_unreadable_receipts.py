"""A signed report that cannot be read is told of by mail, and a person settles it: read again, or set aside for good."""

import json
from datetime import timedelta
from io import BytesIO, StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models.functions import Now
from django.utils import timezone

from newsdesk.core.errors import InputError
from tasks.feedback import applying, inbox, unreadable_receipts, waiting_reports
from tasks.models import Alarm, Receipt, TransactionalMail
from tasks.reconciliation import silence
from tests.factories import make_attempt, make_batch, make_editor, make_publication
from tests.tasks.conftest import FakeQueue
from web.desk.alarms import in_words

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def unreadable(body: bytes = b"[{") -> int:
    receipt_id = inbox.store(BytesIO(body), provider="sendgrid")
    assert receipt_id is not None
    applying.apply_all_waiting()
    return receipt_id


def run(*words: Any) -> dict[str, Any]:
    out = StringIO()
    call_command("receipts", *map(str, words), "--json", stdout=out)
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def silence_may_be_judged() -> bool:
    batch = make_batch(status="unknown")
    batch.attempt = make_attempt(batch, outcome="unknown").pk
    batch.save()
    doubts = silence.doubts_of("sendgrid:test", grace=10)
    assert doubts
    return all(doubt.all_applied for doubt in doubts)


def test_it_is_mailed_with_the_command_that_settles_it() -> None:
    make_editor()
    make_publication()
    receipt_id = unreadable()

    alarm, mail = Alarm.objects.get(), TransactionalMail.objects.get()
    assert alarm.code == "receipt_unreadable"
    assert f"newsdesk receipts --set-aside {receipt_id}" in alarm.message
    assert f"newsdesk receipts --set-aside {receipt_id}" in mail.text
    assert "newsdesk" not in in_words(alarm.message)
    assert in_words(alarm.message).endswith("are settled.")


def test_thousands_make_one_alarm() -> None:
    make_editor()
    make_publication()
    for _ in range(5):
        unreadable()

    assert (Alarm.objects.count(), TransactionalMail.objects.count()) == (1, 1)


def test_one_that_was_set_aside_is_kept_with_who_and_when_and_silence_is_judged_again() -> None:
    receipt_id = unreadable()
    assert not silence_may_be_judged()

    assert run("--set-aside", receipt_id) == {"set_aside": [receipt_id]}

    receipt = Receipt.objects.get()
    assert receipt.set_aside_at is not None
    assert receipt.set_aside_by.startswith("command line (")
    assert (bytes(receipt.body), receipt.error != "") == (b"[{", True)
    assert silence_may_be_judged()
    assert Alarm.objects.get().cleared_at is not None
    Receipt.objects.update(applied_at=Now() - timedelta(days=400))
    assert sum(inbox.expire(30)) == 0
    with pytest.raises(InputError, match="no unreadable receipt"):
        run("--set-aside", receipt_id)


def test_the_alarm_stays_until_the_last_is_settled() -> None:
    first, second = unreadable(), unreadable()

    unreadable_receipts.set_aside([first], who="ada")
    assert Alarm.objects.get().cleared_at is None
    assert [row["id"] for row in run()["receipts"]] == [second]
    assert run("--set-aside", "all") == {"set_aside": [second]}
    assert Alarm.objects.get().cleared_at is not None
    assert run() == {"receipts": [], "more": 0}


def test_an_alarm_that_was_cleared_and_not_settled_comes_back_after_a_day() -> None:
    unreadable()
    Alarm.objects.update(cleared_at=Now())

    waiting_reports.look()
    assert Alarm.objects.filter(cleared_at=None).count() == 0
    Alarm.objects.update(raised_at=timezone.now() - timedelta(days=2))
    waiting_reports.look()
    waiting_reports.look()

    assert Alarm.objects.filter(cleared_at=None).count() == 1


def test_a_new_one_after_all_were_settled_is_told_of_at_once() -> None:
    unreadable_receipts.set_aside([unreadable()], who="ada")

    second = unreadable()

    assert f"Receipt {second} " in Alarm.objects.get(cleared_at=None).message


def test_one_that_is_tried_again_in_vain_keeps_its_alarm() -> None:
    receipt_id = unreadable()
    unreadable_receipts.try_again([receipt_id])

    waiting_reports.look()
    applying.apply_all_waiting()
    waiting_reports.look()

    assert Alarm.objects.filter(cleared_at=None).count() == 1


def test_what_a_newer_version_can_read_is_read_again(
    fake_queue: FakeQueue, django_capture_on_commit_callbacks: Any
) -> None:
    receipt_id = unreadable()
    Receipt.objects.update(body=b"[]")

    with django_capture_on_commit_callbacks(execute=True):
        assert run("--try-again", receipt_id) == {"tried_again": [receipt_id]}
    assert receipt_id in fake_queue.receipts
    applying.apply_all_waiting()
    waiting_reports.look()

    receipt = Receipt.objects.get()
    assert (receipt.error, receipt.applied_at is None, receipt.set_aside_at) == ("", False, None)
    assert Alarm.objects.get().cleared_at is not None


def test_what_waits_for_a_worker_is_not_set_aside() -> None:
    waiting = inbox.store(BytesIO(b"[]"), provider="sendgrid")

    for words in (["--set-aside", waiting], ["--set-aside", "9" * 30], ["--try-again", "five"]):
        with pytest.raises(InputError):
            run(*words)

    assert Receipt.objects.get().applied_at is None
