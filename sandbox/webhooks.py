"""Posting events: signed, repeated with growing pauses until the receiver says 2xx, across restarts too."""

import threading
import time
import zlib
from typing import Any

import urllib3

from sandbox.background import Worker
from sandbox.state import State

POSTERS = 2


class Posting:
    """The queue of posts and the threads that empty it."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._under_way: set[int] = set()
        self._http = urllib3.PoolManager(maxsize=POSTERS, retries=False)
        self._threads = [_Poster(state, self, number) for number in range(POSTERS)]
        self._last: dict[str, Any] = {"status": None, "error": None}
        self._failures = 0

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self, timeout: float) -> None:
        until = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        self._http.clear()

    def change(self, changes: dict[str, Any]) -> None:
        """Change settings at run time; what waits is tried again at once. Raises ValueError."""
        self._state.webhooks = self._state.webhooks.changed(changes)
        with self._state.ledger.writing() as connection:
            connection.execute("UPDATE post SET due_at = min(due_at, ?)", (time.time(),))

    def counts(self) -> dict[str, Any]:
        """How many events wait and how many were answered 2xx; `acts` are errands of readers still to be run.

        Until a request's events are planned, each of its recipients counts as two.
        """
        ledger = self._state.ledger
        pending, acts = ledger.rows(
            "SELECT (SELECT coalesce(sum(recipients), 0) * 2 FROM request WHERE planned = 0)"
            " + (SELECT count(*) FROM later) + (SELECT coalesce(sum(events), 0) FROM post), (SELECT count(*) FROM act)"
        )[0]
        tallies = dict(ledger.rows("SELECT name, value FROM tally"))
        return {
            "pending": pending,
            "posted": tallies.get("posted", 0),
            "acts": acts,
            **{name: tallies.get(name, 0) for name in ("acts_done", "acts_failed", "acts_skipped")},
            "quiet": not pending and not acts,
            "failed_posts": self._failures,
            "last_status": self._last["status"],
            "last_error": self._last["error"],
        }

    def post_next(self) -> bool:
        """Post what has waited longest; False when nothing may go."""
        settings = self._state.webhooks
        post_id = self._claim() if settings.url and not settings.withhold else None
        if post_id is None:
            return False
        try:
            self._post(post_id)
        finally:
            with self._lock:
                self._under_way.discard(post_id)
        return True

    def _claim(self) -> int | None:
        with self._lock:
            for (post_id,) in self._state.ledger.rows(
                "SELECT id FROM post WHERE due_at <= ? ORDER BY due_at, id LIMIT ?", (time.time(), POSTERS)
            ):
                if post_id not in self._under_way:
                    self._under_way.add(post_id)
                    return int(post_id)
        return None

    def _post(self, post_id: int) -> None:
        rows = self._state.ledger.rows("SELECT events, attempts, body FROM post WHERE id = ?", (post_id,))
        if not rows:
            return  # another poster finished it between our look and our claim
        events, attempts, body = rows[0]
        accepted = self._send(zlib.decompress(body))
        with self._state.ledger.writing() as connection:
            if accepted:
                connection.execute("DELETE FROM post WHERE id = ?", (post_id,))
                tally(connection, "posted", events)
                return
            settings = self._state.webhooks
            pause = min(settings.retry_longest, settings.retry_first * 2 ** min(attempts, 20))
            connection.execute(
                "UPDATE post SET attempts = attempts + 1, due_at = ? WHERE id = ?", (time.time() + pause, post_id)
            )

    def _send(self, body: bytes) -> bool:
        settings = self._state.webhooks
        signature = self._state.key.headers(body, timestamp=int(time.time()))
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "SendGrid Event API", **signature}
        timeout = urllib3.Timeout(total=settings.timeout)
        try:
            answer = self._http.request(
                "POST", settings.url, body=body, headers=headers, timeout=timeout, redirect=False
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as problem:
            self._last = {"status": None, "error": f"{type(problem).__name__}: {problem}"[:300]}
            self._failures += 1
            return False
        accepted = 200 <= answer.status < 300
        self._last = {"status": answer.status, "error": None}
        self._failures += not accepted
        return accepted


class _Poster(Worker):
    def __init__(self, state: State, posting: Posting, number: int) -> None:
        super().__init__(state, name=f"posting-{number}")
        self._posting = posting

    def step(self) -> bool:
        return self._posting.post_next()


def tally(connection: Any, name: str, count: int) -> None:
    """Add to a running total, within the caller's transaction."""
    connection.execute(
        "INSERT INTO tally (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
        (name, count),
    )
