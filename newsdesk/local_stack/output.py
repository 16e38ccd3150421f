"""What the programs of the local stack print: into a file each, and side by side on the terminal."""

import os
import sys
import threading
from errno import ENOSPC
from io import FileIO
from pathlib import Path
from typing import TextIO

from newsdesk.local_stack.terminal import Terminal

#: Bytes beyond which a log file is rotated; one older file is kept.
LARGEST_LOG = 10_000_000
WIDTH = 8
COLOURS = {"web": 34, "worker": 32, "beat": 36, "sandbox": 35, "newsdesk": 33}


class LogFile:
    """An append-only file that never grows beyond twice LARGEST_LOG, and never fails: a full disk must not end its reader.

    Without a reader the program's pipe would fill up, and the program stand still with it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: FileIO | None = None
        self._size = 0
        #: Lines that could not be written since the last that could.
        self._lost = 0

    def write(self, line: bytes) -> None:
        """Write the line; one for which there is no room is counted, and the number stands in the file once there is."""
        try:
            if self._lost:
                self._append(b"(%d lines are missing here: they could not be written)\n" % self._lost)
                self._lost = 0
            self._append(line)
        except OSError:
            self._lost += 1

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _append(self, line: bytes) -> None:
        if self._file is None:
            # Nothing is kept in memory: what a full disk did not take must not fail the next write.
            self._file = FileIO(self.path, "ab")
            self._size = self._file.tell()
        elif self._size > LARGEST_LOG:
            self.close()
            rotate(self.path)
            self._file = FileIO(self.path, "ab")
            self._size = 0
        written = self._file.write(line)
        self._size += written
        if written < len(line):
            raise OSError(ENOSPC, "only a part was written")


def rotate(path: Path) -> None:
    """Rename the file to <name>.1; the one that had this name is dropped."""
    path.replace(path.with_suffix(path.suffix + ".1"))


class Output:
    """Takes the programs' lines. Quiet means files only."""

    def __init__(self, logs: Path, *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self.logs = logs
        self.quiet = quiet
        stream = stream or sys.stdout
        self._terminal = Terminal(stream)
        self._colour = stream.isatty() and not os.environ.get("NO_COLOR")
        self._readers: list[threading.Thread] = []
        logs.mkdir(parents=True, exist_ok=True)

    def open(self, name: str) -> int:
        """The writing end of a pipe for one run of a program; close it once the program has it."""
        reading, writing = os.pipe()
        reader = threading.Thread(target=self._read, args=(name, reading), name=f"output of {name}", daemon=True)
        reader.start()
        self._readers = [each for each in self._readers if each.is_alive()] + [reader]
        return writing

    def say(self, name: str, text: str) -> None:
        """A line of our own."""
        for line in text.splitlines():
            self._show(name, line)

    def finish(self, seconds: float) -> None:
        """Wait for the last lines of programs that have ended, and for the terminal to take them."""
        for reader in self._readers:
            reader.join(seconds)
        self._terminal.finish(seconds)

    def last_line(self, name: str) -> str:
        """The last line a program wrote; "" when it wrote none."""
        try:
            lines = (self.logs / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return lines[-1].strip() if lines else ""

    def _read(self, name: str, descriptor: int) -> None:
        log = LogFile(self.logs / f"{name}.log")
        try:
            with os.fdopen(descriptor, "rb") as lines:
                for line in lines:
                    log.write(line)
                    if not self.quiet:
                        self._show(name, line.decode("utf-8", "replace").rstrip())
        finally:
            log.close()

    def _show(self, name: str, line: str) -> None:
        prefix = f"{name:<{WIDTH}} | "
        if self._colour:
            prefix = f"\x1b[{COLOURS.get(name, 37)}m{prefix}\x1b[0m"
        self._terminal.show(f"{prefix}{line}")
