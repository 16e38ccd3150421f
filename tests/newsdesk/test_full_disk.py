import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsdesk.core import disk_space
from newsdesk.local_stack.output import LogFile, Output
from newsdesk.local_stack.process_manager import ProcessManager, Program
from tests.small_disk import fill, small_disk
from tests.waiting import LONG, eventually

pytestmark = pytest.mark.integration


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", megabytes=1) as folder:
        yield folder


def test_a_log_goes_on_after_a_full_disk_and_says_what_it_lacks(disk: Path) -> None:
    log = LogFile(disk / "web.log")
    log.write(b"before\n")
    big = fill(disk)
    for _ in range(3):
        # More than the rest of the page that the file has already.
        log.write(b"x" * 5000 + b"\n")
    big.unlink()
    log.write(b"after\n")
    log.close()
    text = (disk / "web.log").read_text()
    assert text.startswith("before\n")
    assert text.endswith("(3 lines are missing here: they could not be written)\nafter\n")


def test_a_log_that_cannot_even_be_opened_fails_nobody(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "logs" / "web.log")
    log.write(b"one\n")
    (tmp_path / "logs").mkdir()
    log.write(b"two\n")
    log.close()
    assert (tmp_path / "logs" / "web.log").read_text().splitlines()[-1] == "two"


def test_a_program_goes_on_while_nothing_can_be_logged(disk: Path) -> None:
    fill(disk)
    mark = disk.parent / "still-alive"
    script = f"import pathlib\nfor _ in range(100): print('x' * 5000, flush=True)\npathlib.Path({str(mark)!r}).touch()\nimport time; time.sleep(600)"
    manager = ProcessManager(Output(disk / "logs", quiet=True), stage_seconds=(LONG, LONG))
    manager.start()
    try:
        manager.launch(Program(name="web", command=(sys.executable, "-S", "-c", script)))
        assert eventually(mark.exists)
    finally:
        manager.stop()


def test_what_is_free_is_told_in_percent(disk: Path) -> None:
    assert disk_space.free_percent(disk) > 90
    assert not disk_space.is_too_short_to_send(disk)
    fill(disk, leave=60_000)
    assert disk_space.LEAST_TO_SEND < disk_space.free_percent(disk) < disk_space.LEAST
    fill(disk)
    assert disk_space.is_too_short_to_send(disk)
    assert disk_space.free_percent(disk / "nothing" / "here") == 100
