"""A real SMTP server for tests: it keeps what it accepts, and misbehaves as it is told."""

import base64
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

from tests.socket_server import serving
from tests.waiting import LONG

#: What a script may answer beside a reply line: hang up at once, say nothing until the client leaves, or accept and
#: then hang up.
CLOSE, HANG, ACCEPT_THEN_CLOSE = "close", "hang", "accept-then-close"

#: (stage, how many messages were accepted before, recipient) → a reply, one of the above, or "" for the usual reply.
#: Stages: greeting, helo, auth, mail, rcpt, data, text, half (1000 bytes into a text), rset, noop.
Script = Callable[[str, int, str], str]


@dataclass
class Kept:
    sender: str
    recipient: str
    message: bytes
    #: The parameters of MAIL and RCPT by their names, as they were written.
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass
class SmtpSink:
    """`port` is where it listens; `kept` what it has taken responsibility for."""

    port: int = 0
    pipelining: bool = True
    #: Offers delivery reports (RFC 3461), and refuses what is wrong in their parameters.
    dsn: bool = False
    #: Asks for a text even when every recipient was refused (RFC 2920 §3.1 allows it), and refuses that.
    asks_for_nobody: bool = False
    script: Script = lambda _stage, _number, _recipient: ""
    users: dict[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    implicit_tls: bool = False
    kept: list[Kept] = field(default_factory=list)
    connections: int = 0
    #: How often it has begun to say nothing.
    hangs: int = 0
    commands: list[str] = field(default_factory=list)
    open: set[socket.socket] = field(default_factory=set)

    def addresses(self) -> list[str]:
        return [kept.recipient for kept in self.kept]

    @staticmethod
    def keeps(said: str) -> bool:
        """Whether a message is kept whose text the script answers so."""
        return not said or said.startswith("250") or said == ACCEPT_THEN_CLOSE

    def hang_up_on_all(self) -> None:
        """Whoever comes again learns anew what is offered."""
        for sock in list(self.open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


_XTEXT = r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})+"
#: RFC 3461 §4: the parameters, and what each may say.
_OF_MAIL = {"RET": r"FULL|HDRS", "ENVID": rf"(?=.{{1,100}}$){_XTEXT}"}
_OF_RCPT = {
    "NOTIFY": r"NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY))*",
    "ORCPT": rf"(?=.{{1,500}}$)[A-Za-z0-9-]+;{_XTEXT}",
}


def _path_and_parameters(command: str) -> tuple[str, dict[str, str]]:
    path, _, rest = command.partition("<")[2].partition(">")
    return path, {name.upper(): value for name, _, value in (word.partition("=") for word in rest.split())}


def _are_wrong(parameters: dict[str, str], *, offered: bool, allowed: dict[str, str]) -> bool:
    if parameters and not offered:
        return True
    return any(not re.fullmatch(allowed.get(name, r"(?!)"), value) for name, value in parameters.items())


class _OverError(Exception):
    pass


class _Session:
    def __init__(self, sink: SmtpSink, sock: socket.socket) -> None:
        self.sink, self.sock = sink, sock
        self.file = sock.makefile("rb")
        self.sender = self.recipient = ""
        self.parameters: dict[str, str] = {}
        self.secured = sink.implicit_tls

    def run(self) -> None:
        with suppress(OSError, _OverError, ValueError):
            self.answer("greeting", "220 sink ESMTP")
            while line := self.file.readline():
                command = line.decode("utf-8", "replace").strip()
                self.sink.commands.append(command)
                self.obey(command)
        with suppress(OSError):
            self.file.close()
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def answer(self, stage: str, usual: str) -> str:
        said = self.sink.script(stage, len(self.sink.kept), self.recipient) or usual
        if said == CLOSE:
            raise _OverError
        if said == HANG:
            self.hang()
            raise _OverError
        if said != ACCEPT_THEN_CLOSE:
            self.say(said)
        return said

    def hang(self) -> None:
        self.sink.hangs += 1
        with suppress(OSError):
            self.sock.settimeout(LONG)
            while self.sock.recv(4096):
                pass

    def say(self, said: str) -> None:
        self.sock.sendall(said.encode() + b"\r\n")

    def obey(self, command: str) -> None:
        verb = command.split(" ", 1)[0].upper()
        if verb in {"EHLO", "HELO"}:
            self.answer("helo", self.extensions())
        elif verb == "STARTTLS" and self.sink.tls:
            self.say("220 go on")
            self.sock = self.sink.tls.wrap_socket(self.sock, server_side=True)
            self.file, self.secured = self.sock.makefile("rb"), True
        elif verb == "AUTH":
            self.log_in(command)
        elif verb == "MAIL":
            self.mail(*_path_and_parameters(command))
        elif verb == "RCPT":
            self.rcpt(*_path_and_parameters(command))
        elif verb == "DATA":
            self.data()
        elif verb in {"RSET", "NOOP"}:
            self.answer(verb.lower(), "250 ok")
        elif verb == "QUIT":
            self.say("221 bye")
            raise _OverError
        else:
            self.say("500 5.5.2 what?")

    def mail(self, sender: str, parameters: dict[str, str]) -> None:
        self.sender, self.recipient, self.parameters = sender, "", parameters
        if _are_wrong(parameters, offered=self.sink.dsn, allowed=_OF_MAIL):
            self.say("501 5.5.4 what parameter?")
        else:
            self.answer("mail", "250 2.1.0 ok")

    def rcpt(self, recipient: str, parameters: dict[str, str]) -> None:
        self.recipient, self.parameters = recipient, {**self.parameters, **parameters}
        if _are_wrong(parameters, offered=self.sink.dsn, allowed=_OF_RCPT):
            self.recipient = ""
            self.say("501 5.5.4 what parameter?")
        elif not self.answer("rcpt", "250 2.1.5 ok").startswith("2"):
            self.recipient = ""

    def data(self) -> None:
        if not self.recipient and self.sink.asks_for_nobody:
            self.say("354 go on")
            assert self.file.readline() == b".\r\n"
            self.say("554 5.5.1 no valid recipients")
        elif not self.recipient:
            self.say("503 5.5.1 no valid recipients")
        elif self.answer("data", "354 go on").startswith("354"):
            self.take()

    def extensions(self) -> str:
        offered = ["sink"]
        offered += ["PIPELINING"] if self.sink.pipelining else []
        offered += ["DSN"] if self.sink.dsn else []
        offered += ["STARTTLS"] if self.sink.tls and not self.secured else []
        offered += ["AUTH PLAIN LOGIN"] if self.sink.users else []
        return "\r\n".join(f"250{'-' if at < len(offered) - 1 else ' '}{name}" for at, name in enumerate(offered))

    def log_in(self, command: str) -> None:
        _, method, *initial = command.split()
        if method == "PLAIN":
            _, user, password = base64.b64decode(initial[0]).decode().split("\0")
        else:
            user = base64.b64decode(initial[0]).decode()
            self.say("334 " + base64.b64encode(b"Password:").decode())
            password = base64.b64decode(self.file.readline()).decode()
        right = self.sink.users.get(user) == password
        self.answer("auth", "235 2.7.0 welcome" if right else "535 5.7.8 wrong password")

    def take(self) -> None:
        lines: list[bytes] = []
        size = 0
        while (line := self.file.readline()) != b".\r\n":
            if not line:
                raise _OverError
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            size += len(line)
            if size > 1000 and self.sink.script("half", len(self.sink.kept), self.recipient) == CLOSE:
                raise _OverError
        said = self.sink.script("text", len(self.sink.kept), self.recipient)
        if self.sink.keeps(said):
            self.sink.kept.append(Kept(self.sender, self.recipient, b"".join(lines), self.parameters))
        if said == HANG:
            self.hang()
        if said in {CLOSE, HANG, ACCEPT_THEN_CLOSE}:
            raise _OverError
        self.say(said or "250 2.0.0 queued")


@contextmanager
def running(sink: SmtpSink) -> Iterator[SmtpSink]:
    with serving(partial(_serve, sink)) as sink.port:
        yield sink


def _serve(sink: SmtpSink, sock: socket.socket) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sink.connections += 1
    if sink.implicit_tls and sink.tls:
        try:
            sock = sink.tls.wrap_socket(sock, server_side=True)
        except OSError:
            sock.close()
            return
    sink.open.add(sock)
    try:
        _Session(sink, sock).run()
    finally:
        sink.open.discard(sock)
