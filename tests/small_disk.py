"""A disk of a few megabytes, for tests of what happens when it is full."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def mount(folder: Path, *, megabytes: int) -> bool:
    """Mount a tmpfs of this size, empty; False where nobody may."""
    words = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0711", "tmpfs", str(folder)]
    try:
        return subprocess.run(words, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[Path]:
    """A tmpfs of this size. Skips the test where nobody may mount one."""
    folder.mkdir(exist_ok=True)
    if not mount(folder, megabytes=megabytes):
        pytest.skip("only root may mount a small disk")
    try:
        yield folder
    finally:
        unmount(folder)


def fill(folder: Path, *, leave: int = 0, name: str = "everything-else") -> Path:
    """A file that takes all the room but `leave` bytes; delete it to make room again."""
    path = folder / name
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 65536):
                pass
        except OSError:
            pass
        if leave:
            file.truncate(max(file.tell() - leave, 0))
    return path
