"""An HTTP server that reads whole requests, keeps nothing, and answers 202 as SendGrid does, at once or after a while.

It is far faster than what is measured against it: bodies are received into one buffer that is never looked at. Waiting
answers block nobody. `GET /` tells how many requests and body bytes have come (JSON).
"""

import asyncio
import contextlib
import json
import multiprocessing
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

_RECEIVED = bytearray(1 << 20)
_LENGTH = b"content-length:"
_MESSAGE_ID = b"HTTP/1.1 202 Accepted\r\nServer: sink\r\nX-Message-Id: sink-%d\r\nContent-Length: 0\r\n\r\n"


class _Connection(asyncio.BufferedProtocol):
    """One keep-alive connection without pipelining. All of them share one buffer: it is used up before the next read."""

    requests = 0
    body_bytes = 0

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._head = b""
        #: Bytes of the body still to come; None while the head is read.
        self._missing: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get_buffer(self, _sizehint: int) -> bytearray:
        return _RECEIVED

    def buffer_updated(self, nbytes: int) -> None:
        if self._missing is not None:
            self._missing -= nbytes
        else:
            self._head += bytes(_RECEIVED[:nbytes])
            head, end, rest = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            length = _content_length(head)
            if head.startswith(b"GET"):
                self._tell()
                return
            type(self).body_bytes += length
            self._missing = length - len(rest)
        if self._missing <= 0:
            self._whole()

    def _whole(self) -> None:
        type(self).requests += 1
        self._head, self._missing = b"", None
        answer = _MESSAGE_ID % self.requests
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._transport.write, answer)
        else:
            self._transport.write(answer)

    def _tell(self) -> None:
        body = json.dumps({"requests": self.requests, "body_bytes": self.body_bytes}).encode()
        self._head = b""
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        self._transport.close()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line[: len(_LENGTH)].lower() == _LENGTH:
            return int(line[len(_LENGTH) :])
    return 0


def _serve(listener: socket.socket, latency: float) -> None:
    async def forever() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: _Connection(latency), sock=listener)
        await server.serve_forever()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(forever())


@dataclass(frozen=True)
class Sink:
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def counted(self) -> tuple[int, int]:
        """Requests and body bytes so far."""
        with urllib.request.urlopen(self.url, timeout=10) as answer:
            numbers = json.load(answer)
        return numbers["requests"], numbers["body_bytes"]

    def rate(self, *, size: int, connections: int, seconds: float = 1.0) -> float:
        """Requests of `size` bytes a second that it takes on so many connections, each of which does nothing else."""
        request = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % size + bytes(size)
        counts = [0] * connections
        deadline = time.perf_counter() + seconds

        def post(at: int) -> None:
            with socket.create_connection(("127.0.0.1", self.port)) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while time.perf_counter() < deadline:
                    connection.sendall(request)
                    assert connection.recv(4096).startswith(b"HTTP/1.1 202")
                    counts[at] += 1

        threads = [threading.Thread(target=post, args=(at,)) for at in range(connections)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(counts) / (time.perf_counter() - began)


@contextlib.contextmanager
def running(*, latency: float = 0.0) -> Iterator[Sink]:
    """A sink in a process of its own; each answer waits for `latency` seconds."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        process = multiprocessing.get_context("fork").Process(target=_serve, args=(listener, latency), daemon=True)
        process.start()
        port = listener.getsockname()[1]
    try:
        yield Sink(port)
    finally:
        process.terminate()
        process.join()
