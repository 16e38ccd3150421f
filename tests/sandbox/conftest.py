"""A running sandbox, a receiver for its webhooks, and requests it accepts."""

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
import urllib3

from sandbox.options import SandboxOptions
from sandbox.server import Sandbox, running
from sandbox.webhook_settings import WebhookSettings
from tests.waiting import LONG, eventually

KEY = "SG.test"


class Receiver:
    """Listens where webhooks and readers' errands arrive."""

    def __init__(self) -> None:
        self.posts: list[tuple[dict[str, str], bytes]] = []
        self.visits: list[tuple[str, str, dict[str, str], bytes]] = []
        #: Answers to give before turning to 200.
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                if self.path == "/webhook":
                    receiver.posts.append((headers, body))
                else:
                    receiver.visits.append(("POST", self.path, headers, body))
                self._answer()

            def do_GET(self) -> None:
                receiver.visits.append(("GET", self.path, dict(self.headers.items()), b""))
                self._answer()

            def _answer(self) -> None:
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def webhook(self) -> str:
        return f"{self.url}/webhook"

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for _headers, body in list(self.posts) for event in orjson.loads(body)]

    def of(self, prefix: str) -> list[str]:
        """Names of the events of the address that starts with `prefix`, in alphabetical order."""
        return sorted(event["event"] for event in self.events if event["email"].startswith(prefix))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(scope="session")
def listening_receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def receiver(listening_receiver: Receiver) -> Receiver:
    for seen in (listening_receiver.posts, listening_receiver.visits, listening_receiver.statuses):
        seen.clear()
    return listening_receiver


@pytest.fixture
def options(tmp_path: Path, receiver: Receiver) -> SandboxOptions:
    """Quick and deterministic; a test replaces what it is about."""
    webhooks = WebhookSettings(url=receiver.webhook, delay=0.0, retry_first=0.05, late_after=0.1)
    return SandboxOptions(home=tmp_path / "home", api_key=KEY, webhooks=webhooks, outbox=10)


@pytest.fixture
def sandbox(options: SandboxOptions) -> Iterator[Sandbox]:
    with running(options) as made:
        yield made


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    pool = urllib3.PoolManager(retries=False)
    yield pool
    pool.clear()


Post = Callable[..., urllib3.BaseHTTPResponse]


@pytest.fixture
def post(sandbox: Sandbox, http: urllib3.PoolManager) -> Post:
    """POST a request (a dict or bytes) to mail/send."""

    def send(mail: dict[str, Any] | bytes, **headers: str) -> urllib3.BaseHTTPResponse:
        body = mail if isinstance(mail, bytes) else orjson.dumps(mail)
        given = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", **headers}
        return http.request(
            "POST", f"{sandbox.url}/v3/mail/send", body=body, headers=given, redirect=False, timeout=LONG
        )

    return send


@pytest.fixture
def make_mail() -> Callable[..., dict[str, Any]]:
    """A valid request to the given addresses."""
    return _make_mail


def _make_mail(*addresses: str, **changes: Any) -> dict[str, Any]:
    mail = {
        "from": {"email": "news@example.org", "name": "The News"},
        "subject": "Hello -name-",
        "content": [
            {"type": "text/plain", "value": "Dear -name-,\nread https://example.org/a"},
            {"type": "text/html", "value": '<p>Dear -name-, <a href="https://example.org/-path-">read</a></p>'},
        ],
        "categories": ["send-1"],
        "custom_args": {"nd_attempt": "attempt-1"},
        "tracking_settings": {"click_tracking": {"enable": True}, "open_tracking": {"enable": True}},
        "personalizations": [
            {
                "to": [{"email": address, "name": "A Reader"}],
                "substitutions": {"-name-": f"Reader {index}", "-path-": f"story-{index}"},
                "custom_args": {"nd_delivery": f"1.{index}"},
                "headers": {
                    "List-Unsubscribe": f"<https://example.org/u/{'t' * 80}{index}>, <mailto:out@example.org>",
                    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                },
            }
            for index, address in enumerate(addresses or ["reader@example.org"])
        ],
    }
    return {name: value for name, value in {**mail, **changes}.items() if value is not None}


def _until(holds: Callable[[], Any]) -> None:
    assert eventually(holds), "it did not come true in time"


def raw_request(mail: dict[str, Any]) -> bytes:
    """What a client writes that posts this mail; it may then do anything but read the answer."""
    body = orjson.dumps(mail)
    head = (
        f"POST /v3/mail/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def cpu_seconds(work: Callable[[], Any], *, runs: int = 5) -> float:
    """The least that this process (its threads too) computed for it: others on the machine do not count."""
    best = float("inf")
    for _ in range(runs):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best


@pytest.fixture
def until() -> Callable[..., None]:
    """Wait until a condition holds."""
    return _until
