"""The file of the mark tells a copy of itself from itself, on the file system that the tests stand on and on one that tells less."""

import json
import os
import shutil
from pathlib import Path

import pytest

from tasks.database import mark_file
from tasks.database.mark_file import CopiedError, Mark

FIVE, NINE = Mark(fence=5, send=1), Mark(fence=9, send=2)
COPY_OF_FIVE = Mark(fence=5, send=1, from_copy=True)


@pytest.fixture(params=["as it is", "none is told"])
def file(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if request.param == "none is told":
        monkeypatch.setattr(mark_file, "generation", lambda descriptor: None)
    path = tmp_path / "marks" / "one"
    mark_file.write(path, FIVE)
    return path


def test_a_copy_in_its_place_is_one(file: Path) -> None:
    # While the original is there no other file can have its inode.
    draft = Path(shutil.copy2(file, file.with_name("draft")))
    draft.replace(file)

    assert mark_file.read(file) == COPY_OF_FIVE


def test_a_file_that_is_moved_or_linked_stays_itself(file: Path) -> None:
    os.link(file, file.with_name("another"))
    moved = file.parent.rename(file.parent.with_name("elsewhere")) / "one"

    assert mark_file.read(moved) == FIVE
    mark_file.write(moved, NINE)
    assert mark_file.read(moved) == mark_file.read(moved.with_name("another")) == NINE


def test_an_inode_that_was_given_away_again_is_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mark_file, "generation", lambda descriptor: 7)
    mark_file.write(tmp_path / "one", FIVE)

    monkeypatch.setattr(mark_file, "generation", lambda descriptor: 8)

    assert mark_file.read(tmp_path / "one") == COPY_OF_FIVE


@pytest.mark.parametrize(("then", "now"), [(7, None), (None, 7)])
def test_a_generation_that_is_no_longer_told_or_is_told_at_last_says_nothing(
    then: int | None, now: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another kernel; or the same share, looked at by its server."""
    monkeypatch.setattr(mark_file, "generation", lambda descriptor: then)
    mark_file.write(tmp_path / "one", FIVE)

    monkeypatch.setattr(mark_file, "generation", lambda descriptor: now)

    assert mark_file.read(tmp_path / "one") == FIVE


def test_a_copy_takes_no_mark_until_it_is_adopted(file: Path) -> None:
    copy = Path(shutil.copy2(file, file.with_name("copy")))

    for mark in (FIVE, NINE):
        with pytest.raises(CopiedError):
            mark_file.write(copy, mark)
    assert mark_file.read(copy) == COPY_OF_FIVE

    mark_file.write(copy, Mark(fence=3, send=1), adopt=True)
    assert mark_file.read(copy) == FIVE
    mark_file.write(copy, NINE)
    assert mark_file.read(copy) == NINE
    assert mark_file.read(file) == FIVE


def test_a_file_of_a_version_before_is_its_own_with_the_next_mark(file: Path) -> None:
    file.write_text('{"fence": 5, "send": 1}')
    assert mark_file.read(file) == FIVE

    mark_file.write(file, NINE)

    assert json.loads(file.read_text())["inode"] == file.stat().st_ino
    assert mark_file.read(Path(shutil.copy2(file, file.with_name("copy")))) == Mark(fence=9, send=2, from_copy=True)


@pytest.mark.parametrize("content", ["", "½", "[]", '{"fence": 5}', '{"fence": "x", "send": 1}', "null"])
def test_what_cannot_be_read_is_no_mark(file: Path, content: str) -> None:
    file.write_text(content)
    assert mark_file.read(file) is None

    mark_file.write(file, NINE)

    assert mark_file.read(file) == NINE


def test_no_file_is_no_mark(tmp_path: Path) -> None:
    assert mark_file.read(tmp_path / "none") is None
    assert mark_file.read(tmp_path) is None


def test_a_file_system_that_tells_no_generation_is_no_error() -> None:
    reading, writing = os.pipe()
    try:
        assert mark_file.generation(reading) is None
    finally:
        os.close(reading)
        os.close(writing)
