"""What is done on a reader's behalf: a scanner fetching links, a mailbox provider unsubscribing (RFC 8058)."""

import ipaddress
import threading
import time
from urllib.parse import urlsplit

import urllib3

from sandbox import messages
from sandbox.state import State
from sandbox.webhooks import tally

#: A mailbox provider tries the one-click POST this often.
ATTEMPTS = 5
IDLE_SECONDS = 0.1
_TIMEOUT = urllib3.Timeout(total=10)


class Errands(threading.Thread):
    def __init__(self, state: State) -> None:
        super().__init__(name="sandbox-errands", daemon=True)
        self._state = state
        self._http = urllib3.PoolManager(maxsize=2, retries=False)

    def run(self) -> None:
        while not self._state.stopping.is_set():
            if not self._run_next():
                self._state.stopping.wait(IDLE_SECONDS)

    def stop(self, timeout: float) -> None:
        self.join(timeout)
        self._http.clear()

    def _run_next(self) -> bool:
        found = self._state.ledger.rows(
            "SELECT id, kind, request_id, position, attempts FROM act WHERE due_at <= ? ORDER BY due_at, id LIMIT 1",
            (time.time(),),
        )
        if not found:
            return False
        number, kind, request_id, position, attempts = found[0]
        letter = messages.letter(self._state.ledger.request(request_id).mail, position)
        done = self._scan(letter) if kind == "scan" else self._unsubscribe(letter)
        with self._state.ledger.writing() as connection:
            if done or attempts + 1 >= ATTEMPTS:
                connection.execute("DELETE FROM act WHERE id = ?", (number,))
                tally(connection, "errands", int(done))
            else:
                due = time.time() + 0.5 * 2**attempts
                connection.execute("UPDATE act SET attempts = attempts + 1, due_at = ? WHERE id = ?", (due, number))
        return True

    def _scan(self, letter: messages.Letter) -> bool:
        for url in messages.every_url(letter):
            if self._state.stopping.is_set():
                return False
            self._request("GET", url)
        return True

    def _unsubscribe(self, letter: messages.Letter) -> bool:
        url = letter.unsubscribe_url
        if url is None:
            return True
        status = self._request("POST", url, body=b"List-Unsubscribe=One-Click")
        return status is not None and 200 <= status < 300

    def _request(self, method: str, url: str, *, body: bytes | None = None) -> int | None:
        """The status, None without an answer or where we do not go."""
        url = self._mapped(url)
        if not self._allowed(url):
            return None
        headers = {"User-Agent": "Sandbox mailbox provider"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            answer = self._http.request(method, url, body=body, headers=headers, timeout=_TIMEOUT, redirect=False)
        except (urllib3.exceptions.HTTPError, OSError, ValueError):
            return None
        return answer.status

    def _mapped(self, url: str) -> str:
        for before, after in self._state.options.map_urls:
            if url.startswith(before):
                return after + url.removeprefix(before)
        return url

    def _allowed(self, url: str) -> bool:
        """Sample links must not send a test's traffic into the world: this machine and the webhook's host only."""
        if self._state.options.fetch_anywhere:
            return True
        try:
            host = urlsplit(url).hostname or ""
            mapped = [urlsplit(after).hostname for _before, after in self._state.options.map_urls]
            known = [urlsplit(self._state.webhooks.url).hostname, *mapped]
        except ValueError:
            return False
        return host in known or _is_loopback(host)


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
