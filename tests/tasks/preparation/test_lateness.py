"""What was meant for Friday morning does not go out on Sunday by itself (issue 13, point 2)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from tasks.models import Alarm, Send, TransactionalMail
from tasks.preparation import lateness, preparing
from tasks.sends import control, scheduling
from tests.factories import (
    make_approval,
    make_edition,
    make_editor,
    make_list,
    make_publication,
    make_send,
    make_subscriber,
)

pytestmark = pytest.mark.django_db


def asleep(late: timedelta) -> Send:
    """A send that somebody scheduled a day ahead, and whose time is over by so much: nothing ran since."""
    send = make_send(3, scheduled_at=timezone.now() - late)
    Send.objects.update(created_at=send.scheduled_at - timedelta(days=1))
    send.refresh_from_db()
    return send


def test_after_a_weekend_without_services_it_waits_and_says_why() -> None:
    send = asleep(timedelta(hours=50))

    assert preparing.prepare_due() == 0

    send.refresh_from_db()
    assert send.status == "paused"
    assert "is 2 days late: Newsdesk was not running, or its database was restored. Resume it" in send.pause_reason
    assert "(UTC)" in send.pause_reason
    assert [alarm.code for alarm in Alarm.objects.all()] == ["send_paused"]
    assert Alarm.objects.get().message == send.pause_reason


def test_a_few_minutes_after_a_restart_it_goes_out() -> None:
    send = asleep(timedelta(minutes=59))

    assert preparing.prepare(send.pk) is not None


def test_to_the_second(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.LATE_GRACE = 60
    send = asleep(timedelta(0))
    for late, goes in ((60.000001, False), (60.0, True)):
        monkeypatch.setattr(lateness.clock, "now", lambda late=late: send.scheduled_at + timedelta(seconds=late))
        assert (preparing.prepare(send.pk) is not None) is goes
        Send.objects.filter(status="paused").update(status="scheduled")
        send.actions.all().delete()


def test_how_late_is_a_setting(settings: Any) -> None:
    settings.LATE_GRACE = 60

    assert preparing.prepare(asleep(timedelta(seconds=50)).pk) is not None
    assert preparing.prepare(asleep(timedelta(seconds=70)).pk) is None


def test_whoever_resumes_it_wants_it_now() -> None:
    send = asleep(timedelta(hours=50))
    preparing.prepare(send.pk)

    assert control.resume(send.pk, who="ada")

    assert preparing.prepare(send.pk) is not None
    assert not Alarm.objects.filter(cleared_at=None).exists()


def test_resumed_and_then_forgotten_again_it_waits_again() -> None:
    send = asleep(timedelta(hours=50))
    send.actions.create(what="resumed", who="ada")
    send.actions.update(at=timezone.now() - timedelta(hours=2))

    assert preparing.prepare(send.pk) is None


def test_scheduled_for_a_moment_that_is_over_it_goes_out_at_once() -> None:
    publication = make_publication()
    readers = make_list(publication)
    make_subscriber(readers)
    approval = make_approval(make_edition(publication))
    past = timezone.now() - timedelta(days=4)

    send = scheduling.schedule(approval.edition, lists=[readers], at=past)

    assert preparing.prepare(send.pk) is not None


FAILED = OperationalError("canceling statement due to statement timeout")


@pytest.mark.parametrize(("due_for", "told"), [(timedelta(seconds=179.9), 0), (timedelta(minutes=3), 1)])
def test_once_it_could_not_be_prepared_for_three_minutes_the_editors_get_a_mail(
    due_for: timedelta, told: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_editor()
    send = asleep(timedelta(0))
    monkeypatch.setattr(lateness.clock, "now", lambda: send.scheduled_at + due_for)

    lateness.tell_of_failing(send.pk, FAILED)

    assert TransactionalMail.objects.filter(kind="alarm").count() == told


@pytest.mark.parametrize(("ago", "told"), [(timedelta(hours=23.9), 1), (timedelta(hours=24.1), 2)])
def test_whoever_has_seen_to_it_is_told_again_a_day_later_that_it_still_cannot_be_prepared(
    ago: timedelta, told: int
) -> None:
    send = asleep(timedelta(days=2))
    lateness.tell_of_failing(send.pk, FAILED)
    Alarm.objects.update(raised_at=timezone.now() - ago, cleared_at=timezone.now())

    lateness.tell_of_failing(send.pk, FAILED)

    assert Alarm.objects.count() == told
