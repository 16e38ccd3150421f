"""Beat goes on when the clock of its machine is put back (issue 13, point 10)."""

from datetime import timedelta
from pathlib import Path

import pytest
from celery.beat import PersistentScheduler

from tasks.beat_scheduler import SteadyScheduler
from tasks.celery import app

EVERY_MINUTE = {"due sends", "sweep", "slots", "reconcile", "sources"}


def due_within_a_minute(scheduler: PersistentScheduler, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What it runs within a minute, when all was run last by a clock that was an hour ahead."""
    monkeypatch.setattr(scheduler, "apply_entry", lambda entry, producer=None: None)
    for entry in scheduler.schedule.values():
        entry.last_run_at = app.now() + timedelta(hours=1)
    scheduler.tick()
    now = app.now()
    entries = scheduler.schedule.values()
    return {
        entry.name for entry in entries if entry.schedule.remaining_estimate(entry.last_run_at) <= timedelta(minutes=1)
    } & {event.entry.name for event in scheduler._heap if event.time <= now.timestamp() + 61}


@pytest.mark.parametrize(("kind", "goes_on"), [(SteadyScheduler, True), (PersistentScheduler, False)])
def test_what_was_run_by_a_clock_ahead_is_run_again_and_not_an_hour_later(
    kind: type[PersistentScheduler], goes_on: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Celery's own scheduler stands still until then: the day it does not, ours can go."""
    scheduler = kind(app=app, schedule_filename=str(tmp_path / "beat"), lazy=False)

    found = due_within_a_minute(scheduler, monkeypatch)

    assert (found >= EVERY_MINUTE) is goes_on
    assert goes_on or not found
    scheduler.close()


def test_the_scheduler_is_the_one_that_beat_uses() -> None:
    assert app.conf.beat_scheduler == "tasks.beat_scheduler:SteadyScheduler"
