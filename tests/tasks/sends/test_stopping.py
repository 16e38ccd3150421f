"""A send that fares badly with its readers pauses itself, and one that ends so is an alarm."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tasks.models import Alarm, Batch, Send
from tasks.sends import control, finishing, shares, stopping
from tasks.submission import recovery
from tests.factories import make_prepared_send

pytestmark = pytest.mark.django_db


def with_batch(send: Send, **fields: Any) -> Send:
    """The send's only batch, as if it had 400 readers and these had fared so; beside it one that is still to go out."""
    Batch.objects.filter(send=send).update(**{"size": 400, "status": "submitted", **fields})
    Batch.objects.create(send=send, variant=send.approval.variants.get(), size=1)
    return send


@pytest.mark.parametrize(
    ("count", "within", "beyond", "code"),
    [
        ("failed", 20, 21, Alarm.Code.MANY_FAILED),
        ("bounced", 40, 41, Alarm.Code.MANY_BOUNCED),
        ("complained", 19, 20, Alarm.Code.MANY_COMPLAINED),
    ],
)
def test_a_share_that_passes_its_setting_pauses_the_send_once(
    count: str, within: int, beyond: int, code: Alarm.Code
) -> None:
    send = with_batch(make_prepared_send(1), **{count: within})
    assert not stopping.pause_if_too_many(send.pk)

    Batch.objects.filter(size=400).update(**{count: beyond})
    recovery.recover()

    send.refresh_from_db()
    assert send.status == Send.Status.PAUSED
    assert f"{beyond} of 400 readers" in send.pause_reason
    assert Alarm.objects.filter(code=code, send=send, cleared_at=None, message=send.pause_reason).exists()

    assert control.resume(send.pk)
    recovery.recover()
    send.refresh_from_db()
    assert send.status == Send.Status.SENDING, "a person has decided"
    assert not Alarm.objects.filter(send=send, cleared_at=None).exists()


def test_a_setting_of_zero_never_pauses(settings: Any) -> None:
    settings.MOST_BOUNCED = 0
    send = with_batch(make_prepared_send(1), bounced=400)

    assert not stopping.pause_if_too_many(send.pk)


def test_a_send_that_ends_with_many_failed_is_an_alarm_once() -> None:
    send = make_prepared_send(1)
    Batch.objects.filter(send=send).update(size=100, status="submitted", failed=6)

    assert finishing.finish_if_done(send.pk)

    alarm = Alarm.objects.get()
    assert alarm.code == Alarm.Code.MANY_FAILED
    assert "6 of 100 readers" in alarm.message
    Alarm.objects.update(cleared_at=alarm.raised_at)
    recovery.recover()
    assert Alarm.objects.count() == 1


def test_five_in_a_hundred_are_none() -> None:
    send = make_prepared_send(1)
    Batch.objects.filter(send=send).update(size=100, status="submitted", failed=5)

    assert finishing.finish_if_done(send.pk)

    assert not Alarm.objects.exists()


def test_an_alarm_that_was_lost_with_its_worker_is_raised_by_recovery(monkeypatch: pytest.MonkeyPatch) -> None:
    send = make_prepared_send(1)
    Batch.objects.filter(send=send).update(size=100, status="failed")
    with monkeypatch.context() as dying:
        dying.setattr(shares, "alarm_if_many_failed", lambda _send: None)
        assert finishing.finish_if_done(send.pk)

    recovery.recover()

    assert Alarm.objects.get().code == Alarm.Code.MANY_FAILED


def ended(**fields: Any) -> Send:
    """A send that is over, as if it had had 2000 readers, and these had fared so since."""
    send = make_prepared_send(1)
    first = Batch.objects.get(send=send)
    Batch.objects.create(send=send, variant=first.variant, size=1000, status="submitted")
    Batch.objects.filter(pk=first.pk).update(size=1000, status="submitted")
    finishing.finish_if_done(send.pk)
    Batch.objects.filter(pk=first.pk).update(**fields)
    return send


@pytest.mark.parametrize(
    ("count", "within", "beyond", "code"),
    [("bounced", 6, 7, Alarm.Code.BOUNCE_RATE), ("complained", 2, 3, Alarm.Code.COMPLAINT_RATE)],
)
def test_a_rate_that_becomes_high_after_the_end_is_an_alarm_once(
    count: str, within: int, beyond: int, code: Alarm.Code
) -> None:
    send = ended(**{count: within})
    recovery.recover()
    assert not Alarm.objects.exists()

    Batch.objects.filter(**{count: within}).update(**{count: beyond})
    recovery.recover()
    Alarm.objects.update(cleared_at=timezone.now())
    recovery.recover()

    alarm = Alarm.objects.get()
    assert (alarm.code, alarm.send_id) == (code, send.pk)
    assert f"{beyond} of 2000 readers {count}" in alarm.message
    assert "more than" in alarm.message


def test_who_paused_for_it_is_not_told_again_and_zero_never_tells(settings: Any) -> None:
    send = ended(complained=30, bounced=30)
    Alarm.objects.create(send=send, code=Alarm.Code.MANY_COMPLAINED, message="It was paused.")
    settings.ALARM_BOUNCED = 0

    shares.look_at_finished()

    assert Alarm.objects.get().code == Alarm.Code.MANY_COMPLAINED


def test_a_send_of_long_ago_is_not_looked_at() -> None:
    send = ended(complained=30)
    Send.objects.filter(pk=send.pk).update(finished_at=timezone.now() - timedelta(days=4))

    recovery.recover()

    assert not Alarm.objects.exists()


def test_a_few_readers_say_nothing() -> None:
    send = make_prepared_send(3)
    Batch.objects.filter(send=send).update(status="submitted", complained=2)
    finishing.finish_if_done(send.pk)

    shares.look_at_finished()

    assert not Alarm.objects.exists()
