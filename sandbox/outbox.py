"""The Maildir: the newest messages as files that any mail client can open.

Written slowly while requests come in and quickly in lulls, so that accepting mail never waits for it; older messages are rendered on demand instead.
"""

import os
import threading

from sandbox import messages
from sandbox.ledger import StoredMessage
from sandbox.state import State

IDLE_SECONDS = 0.25
#: A lull is so long without a new request; before it, messages are written one at a time with pauses between.
LULL_SECONDS = 0.5
PAUSE_SECONDS = 0.05
#: Messages between two records of how far we are.
RECORD_EVERY = 200


class Outbox(threading.Thread):
    def __init__(self, state: State) -> None:
        super().__init__(name="sandbox-outbox", daemon=True)
        self._state = state
        self._folder = state.options.home / "outbox"
        for name in ("cur", "new", "tmp"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        for leftover in (self._folder / "tmp").iterdir():
            leftover.unlink(missing_ok=True)
        found = state.ledger.rows("SELECT value FROM tally WHERE name = 'outbox'")
        #: Number of the last message written.
        self._last = int(found[0][0]) if found else 0

    def run(self) -> None:
        while not self._state.stopping.wait(IDLE_SECONDS):
            self.write_newest()

    def write_newest(self) -> int:
        """Write what is new, at most the newest N, and remove what is older; returns how many were written."""
        written = 0
        while not self._state.stopping.is_set():
            newest = self._state.ledger.value("SELECT coalesce(max(id), 0) FROM message")
            number = max(self._last + 1, newest - self._state.options.outbox + 1)
            if number > newest:
                break
            self._write(self._state.ledger.message(number))
            self._last, written = number, written + 1
            if written % RECORD_EVERY == 0:
                self._record()
            if self._state.idle_seconds() < LULL_SECONDS:
                self._state.stopping.wait(PAUSE_SECONDS)
        if written:
            self._record()
        return written

    def _record(self) -> None:
        self._trim(self._last - self._state.options.outbox)
        with self._state.ledger.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO tally (name, value) VALUES ('outbox', ?)", (self._last,))

    def _write(self, message: StoredMessage) -> None:
        # A name that says its number: writing again after a kill replaces the file instead of doubling it.
        name = f"{int(message.request.accepted_at)}.M{message.id}.sandbox"
        temporary = self._folder / "tmp" / name
        temporary.write_bytes(messages.eml(message).replace(b"\r\n", b"\n"))
        os.utime(temporary, (message.request.accepted_at, message.request.accepted_at))
        temporary.rename(self._folder / "new" / name)

    def _trim(self, oldest_gone: int) -> None:
        for folder in ("new", "cur"):
            for path in (self._folder / folder).iterdir():
                number = path.name.partition(".M")[2].partition(".")[0]
                if number.isdigit() and int(number) <= oldest_gone:
                    path.unlink(missing_ok=True)
