"""The Maildir: the newest messages as files that any mail client can open.

Written slowly while requests come in and quickly in lulls, so that accepting mail never waits for it; older messages are rendered on demand instead.
"""

import os

from sandbox import messages
from sandbox.background import Worker
from sandbox.ledger import StoredMessage
from sandbox.private import private_folder, write_private
from sandbox.state import State

#: A lull is so long without a new request; before it, messages are written one at a time with pauses between.
LULL_SECONDS = 0.5
PAUSE_SECONDS = 0.05
#: Messages between two records of how far we are.
RECORD_EVERY = 200


class Outbox(Worker):
    idle_seconds = 0.25

    def __init__(self, state: State) -> None:
        super().__init__(state, name="outbox")
        self._folder = state.options.home / "outbox"
        private_folder(self._folder)
        for name in ("cur", "new", "tmp"):
            private_folder(self._folder / name)
        for leftover in (self._folder / "tmp").iterdir():
            leftover.unlink(missing_ok=True)
        rows = state.ledger.rows("SELECT value FROM tally WHERE name = 'outbox'")
        #: Number of the last message written.
        self._last = int(rows[0][0]) if rows else 0

    def step(self) -> bool:
        self.write_newest()
        return False

    def write_newest(self) -> int:
        """Write what is new, at most the newest N, and remove what is older; returns how many were written."""
        written = 0
        while not self.state.stopping.is_set():
            newest = self.state.ledger.value("SELECT coalesce(max(id), 0) FROM message")
            number = max(self._last + 1, newest - self.state.options.outbox + 1)
            if number > newest:
                break
            self._write(self.state.ledger.message(number))
            self._last, written = number, written + 1
            if written % RECORD_EVERY == 0:
                self._record()
            if self.state.idle_seconds() < LULL_SECONDS:
                self.state.stopping.wait(PAUSE_SECONDS)
        if written:
            self._record()
        return written

    def _record(self) -> None:
        self._trim(self._last - self.state.options.outbox)
        with self.state.ledger.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO tally (name, value) VALUES ('outbox', ?)", (self._last,))

    def _write(self, message: StoredMessage) -> None:
        # A name that says its number: writing again after a kill replaces the file instead of doubling it.
        name = f"{int(message.request.accepted_at)}.M{message.id}.sandbox"
        temporary = self._folder / "tmp" / name
        write_private(temporary, messages.eml(message).replace(b"\r\n", b"\n"))
        os.utime(temporary, (message.request.accepted_at, message.request.accepted_at))
        temporary.rename(self._folder / "new" / name)

    def _trim(self, oldest_gone: int) -> None:
        for folder in ("new", "cur"):
            for path in (self._folder / folder).iterdir():
                number = path.name.partition(".M")[2].partition(".")[0]
                if number.isdigit() and int(number) <= oldest_gone:
                    path.unlink(missing_ok=True)
