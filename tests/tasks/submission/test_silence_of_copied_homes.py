"""Of a copied home nobody knows what was reported since: it believes no silence, asks once, and believes none after a restore."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.core import management
from django.db.models import F

from tasks.models import Alarm, Attempt, Batch, Send, TransactionalMail
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.reconciliation import silence
from tasks.sends import control, database_behind
from tasks.submission import posting
from tests.factories import make_attempt, make_editor, make_prepared_send
from tests.tasks.submission.copied_homes import bring_original_back, copy_home

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_sent_yet", "in_own_redis")]


@pytest.fixture
def silent(transport: SendGridTransport, fault: Any) -> Callable[[], Send]:
    """A send whose only batch was refused without an answer a minute ago; three later requests were heard of."""

    def make() -> Send:
        fault("reject-then-close", times=1)
        send = make_prepared_send(2)
        posting.submit_batch(Batch.objects.get(send=send).pk, transport=transport)
        past = timedelta(minutes=1)
        Attempt.objects.filter(batch__send=send).update(
            fenced_at=F("fenced_at") - past, finished_at=F("finished_at") - past
        )
        for _ in range(3):
            make_attempt(size=100, heard=100, transport=transport.name, outcome="accepted")
        return send

    return make


def _status_after_passes(send: Send, transport: SendGridTransport) -> str:
    for _ in range(6):
        silence.reconcile(transport=transport, grace=10)
    return Batch.objects.get(send=send).status


def test_a_copied_home_believes_no_silence_and_posts_no_probe(
    silent: Callable[[], Send], transport: SendGridTransport
) -> None:
    send = silent()
    copy_home()
    attempts = Attempt.objects.count()

    assert _status_after_passes(send, transport) == "unknown"
    assert Attempt.objects.count() == attempts
    assert Attempt.objects.get(batch__send=send).silent_passes == 0

    bring_original_back()
    assert _status_after_passes(send, transport) == "pending"


def test_nor_does_one_whose_redis_does_not_answer(
    silent: Callable[[], Send], transport: SendGridTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = silent()
    copy_home()
    monkeypatch.setattr("tasks.database.high_water._in_redis", _away)

    assert _status_after_passes(send, transport) == "unknown"
    assert not Alarm.objects.filter(code="home_copied").exists()


def _away(of: str) -> None:
    raise redis.ConnectionError


def test_after_a_restore_no_silence_about_a_cancelled_send_is_believed_either(
    silent: Callable[[], Send], transport: SendGridTransport
) -> None:
    send, other = silent(), silent()
    control.cancel(send.pk)
    copy_home()

    management.call_command("confirm_database", "--restored")

    assert _status_after_passes(send, transport) == _status_after_passes(other, transport) == "unknown"
    assert (Send.objects.get(pk=send.pk).status, Send.objects.get(pk=other.pk).status) == ("cancelled", "paused")


def test_nor_about_one_whose_request_was_on_its_way(silent: Callable[[], Send], transport: SendGridTransport) -> None:
    """The answer may come before the first look for abandoned claims, which makes it unknown."""
    send = silent()
    control.cancel(send.pk)
    Batch.objects.filter(send=send).update(status="submitting")
    Attempt.objects.filter(batch__send=send).update(outcome="")
    copy_home()

    management.call_command("confirm_database", "--restored")
    Batch.objects.filter(send=send).update(status="unknown")
    Attempt.objects.filter(batch__send=send).update(outcome="unknown")

    assert _status_after_passes(send, transport) == "unknown"


def test_where_nothing_was_sent_since_it_is_believed_again(
    silent: Callable[[], Send], transport: SendGridTransport
) -> None:
    send = silent()
    control.cancel(send.pk)
    copy_home()

    management.call_command("confirm_database", "--newest")

    assert _status_after_passes(send, transport) == "cancelled"


def test_two_homes_on_one_database_mail_once_that_one_is_a_copy(silent: Callable[[], Send]) -> None:
    make_editor("ada", email="ada@example.com")
    silent()
    for _ in range(3):
        copy_home()
        assert not database_behind.agrees()
        assert Alarm.objects.filter(code="home_copied", cleared_at=None).exists()
        bring_original_back()
        assert database_behind.agrees()
        assert not Alarm.objects.filter(code="home_copied", cleared_at=None).exists()

    assert _mails() == 1


def _mails() -> int:
    return TransactionalMail.objects.filter(to_email="ada@example.com").count()


def test_a_copy_of_the_copy_is_mailed_too_soon_after_the_answer(silent: Callable[[], Send]) -> None:
    make_editor("ada", email="ada@example.com")
    silent()
    copy_home()
    assert not database_behind.agrees()
    management.call_command("confirm_database", "--newest")
    copy_home()
    assert not database_behind.agrees()
    assert _mails() == 1

    Alarm.objects.filter(cleared_at=None).update(raised_at=F("raised_at") - timedelta(seconds=61))
    for _ in range(3):
        assert not database_behind.agrees()

    assert _mails() == 2
    assert Alarm.objects.filter(code="home_copied", cleared_at=None).count() == 1
