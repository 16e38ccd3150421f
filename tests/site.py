"""A web server on loopback for tests of what Newsdesk fetches, and feeds for it to serve."""

import ipaddress
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from django.utils import timezone

from tasks.http.guard import Guard


def rss(*items: tuple[str, str], extra: str = "") -> bytes:
    day = timezone.now().strftime("%a, %d %b %Y 08:00:00 GMT")
    entries = "".join(
        f"<item><guid>{key}</guid><title>{title}</title><link>/{key}</link><pubDate>{day}</pubDate>{extra}</item>"
        for key, title in items
    )
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>The Gazette</title>{entries}</channel></rss>'.encode()
    )


class Site:
    """Answers each path as it was told, and notes what was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        #: Paths → the status of the next answer alone.
        self.failing: dict[str, int] = {}
        self.asked: Counter[str] = Counter()
        self.headers: dict[str, Any] = {}
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with site.lock:
                    site.at_once += 1
                    site.most_at_once = max(site.most_at_once, site.at_once)
                    site.asked[self.path] += 1
                    site.headers[self.path] = dict(self.headers)
                status, headers, body = site.answers.get(self.path, (404, {}, b""))
                if self.path in site.failing:
                    status, headers, body = site.failing.pop(self.path), {}, b""
                if headers.get("ETag") and self.headers.get("If-None-Match") == headers["ETag"]:
                    status, body = 304, b""
                with site.lock:
                    site.at_once -= 1
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 304:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.port = int(self.server.server_port)
        self.url = f"http://127.0.0.1:{self.port}"
        self.guard = Guard(
            allows=lambda address: address == ipaddress.ip_address("127.0.0.1"),
            ports=frozenset({self.port}),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def fail_first(self, path: str, *, status: int) -> None:
        """Answer the next request with this status, and as before from then on."""
        self.failing[path] = status

    def put(self, path: str, body: bytes, *, status: int = 200, **headers: str) -> str:
        self.answers[path] = (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)
        return self.url + path
