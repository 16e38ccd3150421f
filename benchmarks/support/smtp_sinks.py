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
from dataclasses import dataclass
from typing import Any, cast

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
        self._waiting, self._in_text, self._pauses, self._is_slow = b"", False, False, False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        if not self._pauses:
            self._read_on()

    def _read_on(self) -> None:
        replies: list[bytes] = []
        while not self._pauses and (answer := self._next()) is not None:
            reply, seconds = answer
            if seconds:
                self._pauses = True
                asyncio.get_running_loop().call_later(seconds, self._go_on, reply)
            else:
                replies.append(reply)
        if replies:
            self._transport.write(b"".join(replies))

    def _go_on(self, reply: bytes) -> None:
        self._pauses = False
        self._transport.write(reply)
        self._read_on()

    def _next(self) -> tuple[bytes, float] | None:
        """What is said to the next whole command or text, and after how many seconds; None when there is none yet."""
        if not self._in_text:
            line, end, rest = self._waiting.partition(b"\r\n")
            if not end:
                return None
            self._waiting, self._in_text = rest, line[:4].upper() == b"DATA"
            return self.reply_to(line)
        # An empty text, for nobody, begins with its end.
        if self._waiting.startswith(b".\r\n"):
            self._waiting, self._in_text = self._waiting[3:], False
            return b"250 2.0.0 nothing\r\n", 0.0
        _, end, rest = self._waiting.partition(b"\r\n.\r\n")
        if not end:
            # Only the tail can hold the beginning of the end.
            self._waiting = self._waiting[-4:]
            return None
        self._waiting, self._in_text = rest, False
        return b"250 2.0.0 queued\r\n", self.took()

    def reply_to(self, line: bytes) -> tuple[bytes, float]:
        """What is said to a command, and after how many seconds."""
        return _REPLIES.get(line[:4].upper(), b"250 ok\r\n"), 0.0

    def took(self) -> float:
        """A message was taken; seconds until that is said."""
        return 0.0


@dataclass
class SlowDomain:
    """What a sink's process and its caller share: how one domain of its readers fares, and how many of the others were taken."""

    port: int
    #: Whether the domain puts its readers off.
    puts_off: Any
    taken: Any


@contextmanager
def with_slow_domain(domain: str, *, seconds: float, latency: float) -> Iterator[SlowDomain]:
    """A sink that looks at the receiving server before it answers: this domain's says "later", `seconds` after it is asked.

    `latency`: seconds until a message is taken.
    """
    puts_off, taken = multiprocessing.Value("b", 0), multiprocessing.Value("q", 0)

    class Session(_Session):
        def reply_to(self, line: bytes) -> tuple[bytes, float]:
            if line[:4].upper() == b"RCPT":
                self._is_slow = line.endswith(f"@{domain}>".encode())
                if self._is_slow and puts_off.value:
                    return b"450 4.7.0 too many from you\r\n", seconds
            return super().reply_to(line)

        def took(self) -> float:
            # One process writes.
            taken.value += not self._is_slow
            return latency

    with _uvloop(Session) as port:
        yield SlowDomain(port=port, puts_off=puts_off, taken=taken)


def _serve(ports: "multiprocessing.Queue[int]", session: type[_Session]) -> None:
    import uvloop

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0)
        ports.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(serve())


@contextmanager
def _uvloop(session: type[_Session] = _Session) -> Iterator[int]:
    ports: multiprocessing.Queue[int] = multiprocessing.Queue()
    # A class that was made for its caller cannot be handed to a new interpreter.
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(ports, session), daemon=True)
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
