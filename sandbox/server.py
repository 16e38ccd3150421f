"""Puts a sandbox together and runs it."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

from sandbox.errands import Errands
from sandbox.faults import FaultScript
from sandbox.ledger import Ledger
from sandbox.options import SandboxOptions
from sandbox.outbox import Outbox
from sandbox.planning import Planning
from sandbox.private import kept_secret, write_private
from sandbox.routes import Routes
from sandbox.state import State
from sandbox.webhooks import Posting
from sandbox.wire import Server, listen

#: A stop takes at most about so long.
GRACE_SECONDS = 1.0


class Sandbox:
    """A running sandbox; `running()` makes and stops one."""

    def __init__(self, options: SandboxOptions) -> None:
        """Listen and start working. Raises OSError (address), HomeError (home), ValueError (faults)."""
        self._listener = listen(host=options.host, port=options.port, fd=options.fd)
        try:
            self._state = State(options)
        except BaseException:
            self._listener.close()
            raise
        self._posting = Posting(self._state)
        self._planning, self._errands, self._outbox = Planning(self._state), Errands(self._state), Outbox(self._state)
        routes = Routes(self._state, self._posting)
        self._server = Server(self._listener, routes, verbose=options.verbose)
        self._serving = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="sandbox-serving", daemon=True
        )
        self.host, self.port = self._listener.getsockname()[:2]
        #: Opens the pages; "" unless it was made just now, since no log should hold it twice.
        self.new_page_key = ""
        if not ip_address(self.host).is_loopback:
            self._state.page_key, is_new = kept_secret(options.home / "page-key")
            self.new_page_key = self._state.page_key if is_new else ""
        self._note_address()
        for part in (self._planning, self._errands, self._outbox, self._posting, self._serving):
            part.start()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def public_key(self) -> str:
        """The webhook key as SendGrid shows it: base64 DER without PEM armour."""
        return self._state.key.public

    @property
    def ledger(self) -> Ledger:
        return self._state.ledger

    @property
    def faults(self) -> FaultScript:
        return self._state.faults

    def change_webhooks(self, **changes: Any) -> None:
        """Change webhook settings by name, as POST /sandbox/webhooks. Raises ValueError."""
        self._posting.change(changes)

    def change_activity(self, **changes: Any) -> None:
        """Change settings of the activity feed by name, as POST /sandbox/activity. Raises ValueError."""
        self._state.activity = self._state.activity.changed(changes)

    def events(self) -> dict[str, Any]:
        """As GET /sandbox/events."""
        return self._posting.counts()

    def stop(self) -> None:
        """End within about two seconds; what is not posted stays in the home for the next start."""
        self._state.stopping.set()
        self._server.stop(grace=GRACE_SECONDS)
        self._serving.join(GRACE_SECONDS)
        for thread in (self._planning, self._outbox):
            thread.join(GRACE_SECONDS)
        self._errands.stop(GRACE_SECONDS / 4)
        self._posting.join(GRACE_SECONDS / 4)
        self._state.close()

    def _note_address(self) -> None:
        note = {"url": self.url, "pid": os.getpid(), "public_key": self.public_key}
        write_private(self._state.options.home / "sandbox.json", json.dumps(note).encode() + b"\n")


@contextmanager
def running(options: SandboxOptions) -> Iterator[Sandbox]:
    """A sandbox in threads of this process for the length of a `with` block."""
    sandbox = Sandbox(options)
    try:
        yield sandbox
    finally:
        sandbox.stop()


def serve(options: SandboxOptions) -> None:
    """Run until SIGTERM or SIGINT; print the address and the webhook's public key. For the main thread only."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: ended.set())
    with running(options) as sandbox:
        print(f"sandbox: listening on {sandbox.url}", flush=True)  # noqa: T201 -- what a person waits for
        if sandbox.new_page_key:
            print(f"sandbox: its pages open with {sandbox.url}/?key={sandbox.new_page_key}", flush=True)  # noqa: T201
        print(f"sandbox: webhook public key {sandbox.public_key}", flush=True)  # noqa: T201
        while not ended.wait(3600):
            pass
