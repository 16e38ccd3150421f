import subprocess
import sys
import time
from pathlib import Path

import pytest

from newsdesk.core.file_locks import Lock, is_held, note


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
    monkeypatch.setattr("newsdesk.core.file_locks.PATIENCE_BEFORE_WORD", 0.1)
    holder, waiter = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    assert holder.try_acquire()
    told: list[int] = []
    start = time.monotonic()
    assert not waiter.acquire(0.4, on_wait=lambda: told.append(1))
    assert 0.4 <= time.monotonic() - start < 2
    assert told == [1]
    holder.release()


def test_a_holder_leaves_a_word(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "lock")
    assert note(lock.path) == ""
    assert lock.try_acquire()
    lock.note("a longer word")
    lock.note("word")
    assert note(lock.path) == "word"
    lock.release()
