"""Servers that take mail as fast as they can and keep nothing, each in a process of its own."""

import asyncio
import multiprocessing
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

_REPLIES = {b"EHLO": b"250-sink\r\n250 PIPELINING\r\n", b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}
#: Postfix's own test server; the Debian package postfix has it.
SMTP_SINK = "smtp-sink"


def available() -> list[str]:
    """Uvloop always (it is pinned); smtp-sink where it is installed, or named by the variable SMTP_SINK."""
    return ["uvloop", *([SMTP_SINK] if _smtp_sink() else [])]


@contextmanager
def running(name: str) -> Iterator[int]:
    """Inside, this sink listens on the port given."""
    with _uvloop() if name == "uvloop" else _postfix() as port:
        yield port


class _Session(asyncio.Protocol):
    """One connection: replies to whatever is whole, forgets the text of mails."""

    def __init__(self) -> None:
        self._waiting, self._in_text = b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        waiting = self._waiting + data
        replies = []
        while True:
            if self._in_text:
                _, end, rest = waiting.partition(b"\r\n.\r\n")
                if not end:
                    # Only the tail can hold the beginning of the end.
                    waiting = waiting[-4:]
                    break
                waiting, self._in_text = rest, False
                replies.append(b"250 2.0.0 queued\r\n")
                continue
            line, end, rest = waiting.partition(b"\r\n")
            if not end:
                break
            waiting = rest
            verb = line[:4].upper()
            self._in_text = verb == b"DATA"
            replies.append(_REPLIES.get(verb, b"250 ok\r\n"))
        self._waiting = waiting
        if replies:
            self._transport.write(b"".join(replies))


def _serve(ports: "multiprocessing.Queue[int]") -> None:
    import uvloop

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Session, "127.0.0.1", 0)
        ports.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(serve())


@contextmanager
def _uvloop() -> Iterator[int]:
    ports: multiprocessing.Queue[int] = multiprocessing.Queue()
    process = multiprocessing.Process(target=_serve, args=(ports,), daemon=True)
    process.start()
    try:
        yield ports.get(timeout=30)
    finally:
        process.terminate()
        process.join()


def _smtp_sink() -> str | None:
    return os.environ.get("SMTP_SINK") or shutil.which(SMTP_SINK) or shutil.which(SMTP_SINK, path="/usr/sbin")


@contextmanager
def _postfix() -> Iterator[int]:
    program = _smtp_sink()
    assert program is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    account = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen([program, *account, f"127.0.0.1:{port}", "100"])
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
