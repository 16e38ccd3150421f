import subprocess
import sys
from pathlib import Path

import pytest

from newsdesk.core.file_locks import INTERVAL, PATIENCE_BEFORE_WORD, Lock, is_held, note
from tests.waiting import FakeClock


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    first, second = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    assert not is_held(first.path)
    assert first.try_acquire()
    assert is_held(first.path)
    assert not second.try_acquire()
    first.release()
    assert second.try_acquire()
    second.release()


def test_a_child_that_inherits_it_keeps_it(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "lock")
    assert lock.try_acquire()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[lock.descriptor])
    lock.release()
    assert is_held(lock.path)
    child.kill()
    child.communicate()
    assert not is_held(lock.path)


def test_waiting_ends_with_the_patience_and_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    monkeypatch.setattr("newsdesk.core.file_locks.time", clock)
    holder, waiter = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    assert holder.try_acquire()
    told: list[float] = []
    start = clock.now
    assert not waiter.acquire(10.0, on_wait=lambda: told.append(clock.now))
    assert clock.now - start == pytest.approx(10.0, abs=INTERVAL)
    assert told == [pytest.approx(start + PATIENCE_BEFORE_WORD, abs=INTERVAL)]
    holder.release()


def test_a_holder_leaves_a_word(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "lock")
    assert note(lock.path) == ""
    assert lock.try_acquire()
    lock.note("a longer word")
    lock.note("word")
    assert note(lock.path) == "word"
    lock.release()
