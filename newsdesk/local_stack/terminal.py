"""Writes lines to a terminal or pipe without making anybody wait: a paused terminal (Ctrl-S, `up | less`) stops only itself."""

import io
import os
import threading
import time
from collections import deque
from typing import TextIO

#: Lines that wait for a reader; beyond that the oldest give way, and their number is said.
MOST_WAITING = 10_000


class Terminal:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: deque[str] = deque()
        self._left_out = 0
        self._is_writing = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        #: The other end was closed.
        self.is_gone = False

    def show(self, line: str) -> None:
        with self._changed:
            if self.is_gone:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="terminal", daemon=True)
                self._thread.start()
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                self._left_out += 1
            self._waiting.append(line)
            self._changed.notify_all()

    def finish(self, seconds: float) -> None:
        """Wait until everything is written, or so long."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while (self._waiting or self._is_writing) and not self.is_gone:
                if not self._changed.wait(deadline - time.monotonic()):
                    return

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                text = self._taken()
                self._is_writing = True
            try:
                self._write(text)
            except (OSError, ValueError):
                with self._changed:
                    self.is_gone = True
                    self._waiting.clear()
            with self._changed:
                self._is_writing = False
                self._changed.notify_all()
                if self.is_gone:
                    return

    def _taken(self) -> str:
        lines = [f"({self._left_out} lines are in the log files only)"] if self._left_out else []
        lines += self._waiting
        self._left_out = 0
        self._waiting.clear()
        return "".join(f"{line}\n" for line in lines)

    def _write(self, text: str) -> None:
        try:
            descriptor = self._stream.fileno()
        except io.UnsupportedOperation:
            self._stream.write(text)
            return
        # Not through the stream: Python waits for its lock at the end, and a paused terminal would keep it.
        rest = memoryview(text.encode(self._stream.encoding or "utf-8", "replace"))
        while rest:
            rest = rest[os.write(descriptor, rest) :]
