"""What is done on a reader's behalf: a scanner fetching links, a mailbox provider unsubscribing (RFC 8058)."""

import ipaddress
import time
from enum import Enum
from urllib.parse import urlsplit

import urllib3

from sandbox import messages
from sandbox.background import Worker
from sandbox.state import State
from sandbox.webhooks import tally

#: A mailbox provider tries the one-click POST this often.
ATTEMPTS = 5
_TIMEOUT = urllib3.Timeout(total=10)


class Outcome(Enum):
    DONE = "done"
    FAILED = "failed"
    #: There was nowhere to go, or nowhere we may go.
    SKIPPED = "skipped"


class Errands(Worker):
    idle_seconds = 0.1

    def __init__(self, state: State) -> None:
        super().__init__(state, name="errands")
        self._http = urllib3.PoolManager(maxsize=2, retries=False)

    def stop(self, timeout: float) -> None:
        self.join(timeout)
        self._http.clear()

    def step(self) -> bool:
        rows = self.state.ledger.rows(
            "SELECT id, kind, request_id, position, attempts FROM act WHERE due_at <= ? ORDER BY due_at, id LIMIT 1",
            (time.time(),),
        )
        if not rows:
            return False
        number, kind, request_id, position, attempts = rows[0]
        mail = messages.received(self.state.ledger.request(request_id).mail, position)
        outcome = self._scan(mail) if kind == "scan" else self._unsubscribe(mail)
        with self.state.ledger.writing() as connection:
            if outcome is Outcome.FAILED and attempts + 1 < ATTEMPTS:
                due = time.time() + 0.5 * 2**attempts
                connection.execute("UPDATE act SET attempts = attempts + 1, due_at = ? WHERE id = ?", (due, number))
            else:
                connection.execute("DELETE FROM act WHERE id = ?", (number,))
                tally(connection, f"acts_{outcome.value}", 1)
        return True

    def _scan(self, mail: messages.ReceivedMail) -> Outcome:
        for url in map(self._mapped, messages.every_url(mail)):
            if self.state.stopping.is_set():
                return Outcome.FAILED
            if self.allows(url):
                self._request("GET", url)
        return Outcome.DONE

    def _unsubscribe(self, mail: messages.ReceivedMail) -> Outcome:
        url = self._mapped(mail.unsubscribe_url or "")
        if not self.allows(url):
            return Outcome.SKIPPED
        status = self._request("POST", url, body=b"List-Unsubscribe=One-Click")
        return Outcome.DONE if status is not None and 200 <= status < 300 else Outcome.FAILED

    def _request(self, method: str, url: str, *, body: bytes | None = None) -> int | None:
        """The status, None without an answer. No redirect is followed, no cookie sent."""
        headers = {"User-Agent": "Sandbox mailbox provider"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            answer = self._http.request(method, url, body=body, headers=headers, timeout=_TIMEOUT, redirect=False)
        except (urllib3.exceptions.HTTPError, OSError, ValueError):
            return None
        return answer.status

    def _mapped(self, url: str) -> str:
        for before, after in self.state.options.map_urls:
            if url.startswith(before):
                return after + url.removeprefix(before)
        return url

    def allows(self, url: str) -> bool:
        """Sample links must not send a test's traffic into the world: this machine and the webhook's host only."""
        if not url.startswith(("http://", "https://")):
            return False
        if self.state.options.fetch_anywhere:
            return True
        try:
            host = urlsplit(url).hostname or ""
            mapped = [urlsplit(after).hostname for _before, after in self.state.options.map_urls]
            known = [urlsplit(self.state.webhooks.url).hostname, *mapped]
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
