"""Sends wait while the disk has no room, and go on by themselves."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from newsdesk.core.home import Home
from tasks.database import high_water
from tasks.models import Alarm, Batch, Send
from tasks.preparation import preparing
from tasks.providers.sendgrid.transport import SendGridTransport
from tasks.submission import posting, recovery, worker_loop
from tasks.submission.claiming import Wait
from tasks.throttling.explanations import DISK_FULL, why_waiting
from tests.factories import make_prepared_send, make_send
from tests.small_disk import fill, small_disk
from tests.tasks.conftest import FakeQueue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def disk(transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", megabytes=1) as folder:
        # Without Redis the file in the home alone says how far this installation has sent.
        Home(folder).marks.mkdir()
        shutil.copy(settings.HOME.marks / high_water.installation(), Home(folder).marks)
        monkeypatch.setattr(settings, "HOME", Home(folder))
        yield folder


def test_nothing_is_prepared_or_sent_until_there_is_room(
    disk: Path, transport: SendGridTransport, fake_queue: FakeQueue
) -> None:
    due, running = make_send(2), make_prepared_send(3)
    full = fill(disk)
    assert preparing.prepare_due() == 0
    assert isinstance(posting.begin(transport), Wait)
    worker_loop.run_worker_loop(transport=transport)
    assert fake_queue.loops == [posting.DISK_SECONDS]
    assert [why_waiting(running), why_waiting(due)] == [DISK_FULL, DISK_FULL]
    assert Send.objects.get(pk=due.pk).status == Send.Status.SCHEDULED

    full.unlink()
    assert preparing.prepare_due() == 1
    worker_loop.run_worker_loop(transport=transport)
    assert set(Batch.objects.values_list("status", flat=True)) == {"submitted"}
    assert [why_waiting(Send.objects.get(pk=send.pk)) for send in (running, due)] == ["", ""]


def test_an_alarm_is_raised_once_and_ends_by_itself(disk: Path, transport: SendGridTransport) -> None:
    alarms = Alarm.objects.filter(code="disk_space")
    recovery.recover()
    assert not alarms.exists()
    full = fill(disk, leave=60_000)
    recovery.recover()
    recovery.recover()
    assert [alarm.cleared_at for alarm in alarms] == [None]
    assert "below 2 % sends wait" in alarms[0].message
    full.unlink()
    recovery.recover()
    assert alarms.get().cleared_at is not None
