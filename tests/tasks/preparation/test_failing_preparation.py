"""A send that the database never lets be prepared keeps nobody behind it waiting, and tells a person."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from tasks.database import partitions
from tasks.models import Alarm, Send
from tasks.preparation import preparing
from tests.factories import make_send

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Send:
    """Its audience takes longer than the database gives a statement."""
    failing = make_send(2, scheduled_at=timezone.now() - timedelta(minutes=1))
    freeze = preparing.freeze

    def slow(cursor: Any, send: Send) -> Any:
        if send.pk == failing.pk:
            cursor.execute("SET LOCAL statement_timeout = '50ms'")
            cursor.execute("SELECT pg_sleep(30)")
        return freeze(cursor, send)

    monkeypatch.setattr(preparing, "freeze", slow)
    return failing


def test_a_planner_that_cannot_be_told_keeps_nothing_from_going_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "_MANY", 1)
    monkeypatch.setattr(partitions, "_COUNT_PARTITION", "SELECT 1 / 0 AS {part}")
    send = make_send(2)

    assert preparing.prepare_due() == 1

    assert Send.objects.get(pk=send.pk).status == "sending"
    assert not Alarm.objects.exists()


def wanted(send: Send, *, ago: timedelta) -> None:
    Send.objects.filter(pk=send.pk).update(scheduled_at=timezone.now() - ago, created_at=timezone.now() - ago)


def test_those_behind_it_go_out(failing: Send) -> None:
    behind = make_send(3, scheduled_at=timezone.now())

    assert preparing.prepare_due() == 1

    assert Send.objects.get(pk=behind.pk).status == "sending"
    assert Send.objects.get(pk=failing.pk).status == "scheduled"
    assert not Alarm.objects.filter(code="unprepared").exists()


def test_after_some_minutes_a_person_is_told_once(failing: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted(failing, ago=timedelta(minutes=4))

    for _ in range(3):
        assert preparing.prepare_due() == 0

    alarm = Alarm.objects.get(code="unprepared")
    assert alarm.send == failing
    assert "canceling statement due to statement timeout" in alarm.message
    monkeypatch.undo()
    assert preparing.prepare_due() == 1
    assert not Alarm.objects.filter(code="unprepared", cleared_at=None).exists()


def test_a_database_that_is_away_ends_the_round(failing: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    make_send(3, scheduled_at=timezone.now())
    monkeypatch.setattr("django.db.backends.postgresql.base.DatabaseWrapper.is_usable", lambda self: False)

    with pytest.raises(OperationalError):
        preparing.prepare_due()

    assert not Send.objects.filter(status="sending").exists()
