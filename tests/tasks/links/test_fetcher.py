"""Links followed over real sockets: a server on loopback, which only a guard made for the test lets us reach."""

import ipaddress
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tasks.http import guard as guards
from tasks.http.guard import Guard, is_public
from tasks.links.fetcher import follow
from tests.waiting import LONG

#: Set when nobody asks any more.
_over = threading.Event()


class _Site(BaseHTTPRequestHandler):
    def answer(self) -> None:
        path = self.path.partition("?")[0]
        status, location = {
            "/": (200, ""),
            "/gone": (404, ""),
            "/removed": (410, ""),
            "/robots": (403, ""),
            "/down": (503, ""),
            "/moved": (301, "/"),
            "/for-now": (302, "/"),
            "/mixed": (301, "/for-now"),
            "/inside": (302, "http://10.0.0.1/"),
            "/loop": (302, "/loop"),
            "/file": (302, "file:///etc/passwd"),
            "/gone-soon": (301, "/gone"),
            "/unreadable": (302, "http://[::1"),
        }.get(path, (200, ""))
        if path == "/no-head" and self.command == "HEAD":
            status = 405
        if path == "/slow":
            _over.wait(LONG)
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        if path == "/endless":
            self.end_headers()
            while True:
                self.wfile.write(b"x" * 65536)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = answer  # noqa: N815 - the server calls them so

    def log_message(self, *args: Any) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            return  # the client has hung up, as it should


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    _over.clear()
    yield f"http://127.0.0.1:{server.server_port}"
    _over.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def guard(site: str) -> Guard:
    port = int(site.rpartition(":")[2])
    return Guard(allows=lambda address: address == ipaddress.ip_address("127.0.0.1"), ports=frozenset({80, port}))


@pytest.mark.parametrize(
    ("path", "outcome", "status", "target"),
    [
        ("/", "answered", 200, ""),
        ("/?q=ü&x=1#part", "answered", 200, ""),
        ("/no-head", "answered", 200, ""),
        ("/endless", "answered", 200, ""),
        ("/gone", "broken", 404, ""),
        ("/removed", "broken", 410, ""),
        ("/robots", "unclear", 403, ""),
        ("/down", "unclear", 503, ""),
        ("/moved", "moved", 200, "/"),
        ("/for-now", "answered", 200, "/"),
        ("/mixed", "answered", 200, "/"),
        ("/gone-soon", "broken", 404, "/gone"),
    ],
)
def test_it_says_what_the_server_says(
    site: str, guard: Guard, path: str, outcome: str, status: int, target: str
) -> None:
    report = follow(site + path, guard)

    assert (report.outcome, report.status, report.target) == (outcome, status, target and site + target)


def test_every_redirect_is_looked_at(site: str, guard: Guard) -> None:
    assert follow(f"{site}/inside", guard).outcome == "private"
    assert follow(f"{site}/file", guard).outcome == "unclear"
    assert follow(f"{site}/loop", guard).error == "too many redirects"
    assert follow(f"{site}/unreadable", guard).error == "it redirects to an unreadable address"


def test_a_silent_server_is_left(site: str, guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "REQUEST_SECONDS", 0.3)
    began = time.monotonic()

    assert follow(f"{site}/slow", guard).error == "it does not answer in time"
    assert time.monotonic() - began < LONG / 2, "the server would have waited longer"


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1/",
        "http://localhost:8080/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://10.1.2.3/",
        "http://192.168.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://0.0.0.0/",
        "http://user:word@127.0.0.1/",
        "http://93.184.216.34:22/",
    ],
)
def test_nothing_inside_is_reached(link: str) -> None:
    assert follow(link).outcome == "private"


@pytest.mark.parametrize(
    "link", ["http://", "ftp://example.com/", "http://[::1", "http://a\x00b/", "https://exa mple.com"]
)
def test_what_is_no_address_is_not_followed(link: str) -> None:
    assert follow(link).outcome in {"unclear", "broken"}


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:4700::1111", True),
        ("100.64.0.1", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("fe80::1", False),
        ("fc00::1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::5db8:d822", True),
        ("::", False),
        ("3fff::1", False),
        ("5f00::1", False),
        ("2001:db8::1", False),
        ("100::1", False),
        ("64:ff9b:1::1", False),
        ("192.0.0.9", False),
        ("192.88.99.1", False),
    ],
)
def test_what_is_public(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public
