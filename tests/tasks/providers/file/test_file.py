"""The Maildir."""

import os
from pathlib import Path

import pytest

from tasks.providers.base import Accepted, Partial, Refused
from tasks.providers.file import transport as file_module
from tasks.providers.file.transport import FileTransport
from tests.tasks.providers.messages import encode, make_recipients


@pytest.fixture
def transport(tmp_path: Path) -> FileTransport:
    return FileTransport(tmp_path / "mail")


def files(folder: Path) -> list[str]:
    return sorted(path.name for name in ("tmp", "new", "cur") for path in (folder / "mail" / name).iterdir())


def test_a_delivery_written_twice_is_one_file(transport: FileTransport, tmp_path: Path) -> None:
    transport.post(encode(transport, make_recipients(3)))
    before = files(tmp_path)

    assert isinstance(transport.post(encode(transport, make_recipients(3))), Accepted)

    assert files(tmp_path) == before
    assert len(before) == 3
    assert before[0].startswith("7.1.")


def test_what_a_mail_program_has_read_is_not_written_again(transport: FileTransport, tmp_path: Path) -> None:
    transport.post(encode(transport, make_recipients(2)))
    (first, _) = files(tmp_path)
    (tmp_path / "mail/new" / first).rename(tmp_path / "mail/cur" / f"{first}:2,S")

    assert isinstance(transport.post(encode(transport, make_recipients(2))), Accepted)
    assert len(files(tmp_path)) == 2


def test_a_full_disk_keeps_what_is_written_and_tries_the_rest_again(
    transport: FileTransport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = [0]
    original = os.fsync

    def full(descriptor: int) -> None:
        written[0] += 1
        if written[0] == 3:
            raise OSError(28, "No space left on device")
        original(descriptor)

    monkeypatch.setattr(file_module.os, "fsync", full)
    outcome = transport.post(encode(transport, make_recipients(4)))

    assert isinstance(outcome, Partial)
    assert (outcome.accepted, outcome.not_tried, outcome.unknown) == ({0, 1}, {2, 3}, frozenset())
    assert "No space left" in outcome.message
    again = transport.post(encode(transport, make_recipients(4)))
    assert isinstance(again, Accepted)
    assert len([name for name in files(tmp_path) if name.count(".") == 2]) == 4


def test_a_folder_that_cannot_be_made_refuses(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("")
    transport = FileTransport(tmp_path / "occupied")
    assert isinstance(transport.post(encode(transport, make_recipients(1))), Refused)
