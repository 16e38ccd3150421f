"""HTTP/1.1 with its gloves off: keep-alive connections whose end a fault may decide."""

import gzip
import io
import select
import socket
import struct
import sys
import threading
import time
import traceback
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import orjson

MAX_BODY_BYTES = 30 * 1024 * 1024
#: A longer body is read to its end all the same up to here, so that the client gets to see the 413.
MAX_DRAINED_BYTES = 4 * MAX_BODY_BYTES


class Ending(Enum):
    """What happens to the connection after, or instead of, an answer."""

    KEEP = "keep"
    CLOSE = "close"
    #: The following three say nothing at all.
    DROP = "drop"
    RESET = "reset"
    HANG = "hang"


@dataclass(frozen=True, kw_only=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""

    def json(self) -> Any:
        """The decoded body. Raises ValueError."""
        return orjson.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Response:
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Ending = Ending.KEEP
    #: How long to hang, for Ending.HANG.
    seconds: float = 0.0
    #: "status", "headers" or "body": where the answer breaks off.
    cut: str | None = None

    def raw(self) -> bytes:
        """The bytes of the answer, cut where it is to be cut."""
        reason = HTTPStatus(self.status).phrase if self.status in HTTPStatus._value2member_map_ else "Unknown"
        lines = [f"HTTP/1.1 {self.status} {reason}", "Server: nginx"]
        if self.status != 204:
            lines.append(f"Content-Length: {len(self.body) + (64 if self.cut == 'body' else 0)}")
        if self.body or self.cut == "body":
            lines.append(f"Content-Type: {self.content_type}")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.ending is not Ending.KEEP or self.cut:
            lines.append("Connection: close")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
        if self.cut == "status":
            return head[:11]
        return head[: head.index(b"\r\n") + 12] if self.cut == "headers" else head + self.body


def json_response(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status=status, body=orjson.dumps(value), headers=headers or {})


def error(status: int, message: str, *, field: str | None = None, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in SendGrid's form for errors."""
    entry = {"message": message, "field": field, "help": None}
    return json_response({"errors": [entry]}, status=status, headers=headers)


Application = Callable[[Request], Response]


class _BodyError(Exception):
    def __init__(self, response: Response) -> None:
        self.response = response


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        started = time.perf_counter()
        with self.server.busy():
            try:
                response = self.server.answer(self._request())
            except _BodyError as problem:
                response = problem.response
            self._finish(response)
        if self.server.verbose:
            took = (time.perf_counter() - started) * 1000
            sys.stderr.write(f"{self.command} {self.path} {response.status} {response.ending.value} {took:.1f} ms\n")

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, TimeoutError, OSError):
            self.close_connection = True

    def _request(self) -> Request:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return Request(method=self.command, path=parts.path, query=query, headers=headers, body=self._body(headers))

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            body = self._chunks()
        else:
            try:
                length = int(headers.get("content-length", "0"))
            except ValueError:
                raise _BodyError(replace(error(400, "Bad Request"), ending=Ending.CLOSE)) from None
            body = self._exactly(length)
        return _inflate(body) if headers.get("content-encoding", "").lower() == "gzip" else body

    def _exactly(self, length: int) -> bytes:
        if length > MAX_BODY_BYTES:
            left = min(length, MAX_DRAINED_BYTES)
            while left > 0 and (piece := self.rfile.read(min(left, 1 << 16))):
                left -= len(piece)
            raise _BodyError(replace(error(413, "content too large"), ending=Ending.CLOSE))
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionResetError("the client left in the middle of its request")
        return body

    def _chunks(self) -> bytes:
        body = io.BytesIO()
        while size := int(self.rfile.readline(1024).split(b";")[0] or b"0", 16):
            if body.tell() + size > MAX_BODY_BYTES:
                raise _BodyError(replace(error(413, "content too large"), ending=Ending.CLOSE))
            body.write(self._exactly(size))
            self.rfile.readline(1024)
        while self.rfile.readline(65537).strip():
            pass
        return body.getvalue()

    def _finish(self, response: Response) -> None:
        if response.ending in (Ending.KEEP, Ending.CLOSE):
            self.wfile.write(response.raw() if self.command != "HEAD" else replace(response, body=b"").raw())
        elif response.ending is Ending.RESET:
            # A zero linger time turns the close into a TCP reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.server.to_reset.add(self.connection)
        elif response.ending is Ending.HANG:
            self.server.hang(self.connection, response.seconds)
        if response.ending is not Ending.KEEP or response.cut:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class's name
        if self.server.verbose:
            sys.stderr.write(format % args + "\n")


def _inflate(body: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as stream:
            plain = stream.read(MAX_BODY_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise _BodyError(error(400, "Bad Request")) from None
    if len(plain) > MAX_BODY_BYTES:
        raise _BodyError(error(413, "content too large"))
    return plain


class Server(ThreadingMixIn, TCPServer):
    """Listens and calls `application` with each request, one thread a connection."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128
    _unanswerable: ClassVar[tuple[type[BaseException], ...]] = (ConnectionError, TimeoutError)

    def __init__(self, listener: socket.socket, application: Application, *, verbose: bool = False) -> None:
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.verbose = verbose
        self.to_reset: set[socket.socket] = set()
        self._application = application
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._busy = 0
        self._changed = threading.Condition()

    def answer(self, request: Request) -> Response:
        try:
            return self._application(request)
        except Exception:  # noqa: BLE001 -- one broken request must not end the server
            traceback.print_exc()
            return error(500, "internal server error")

    @contextmanager
    def busy(self) -> Iterator[None]:
        """A request is being read, worked on or answered; a stop waits for it."""
        with self._changed:
            self._busy += 1
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def hang(self, connection: socket.socket, seconds: float) -> None:
        """Say nothing until the client leaves, the time is over or the server stops."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._stopping.is_set():
            if select.select([connection], [], [], 0.1)[0] and not connection.recv(1024):
                return

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._changed:
            self._open.discard(request)
        if request in self.to_reset:
            self.to_reset.discard(request)
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], self._unanswerable):
            super().handle_error(request, client_address)

    def stop(self, *, grace: float = 1.0) -> None:
        """Take no more connections, let running requests end within `grace` seconds, then close what is open."""
        self._stopping.set()
        self.shutdown()
        with self._changed:
            self._changed.wait_for(lambda: not self._busy, timeout=grace)
            still_open = list(self._open)
        for connection in still_open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self.server_close()


def listen(*, host: str, port: int, fd: int | None = None) -> socket.socket:
    """A listening socket, of our own or inherited. Raises OSError."""
    if fd is not None:
        listener = socket.socket(fileno=fd)
        listener.setblocking(True)
        listener.listen(128)
        return listener
    return socket.create_server((host, port), backlog=128)
