"""A small IMAP server for tests, over TLS: LOGIN, SELECT, EXAMINE, UID SEARCH, FETCH and STORE (RFC 3501)."""

import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

from tests.socket_server import serving
from tests.waiting import LONG


@dataclass
class ImapServer:
    tls: ssl.SSLContext
    users: dict[str, str]
    port: int = 0
    validity: int = 7
    searches_headers: bool = True
    #: UID → the mail.
    mails: dict[int, bytes] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    commands: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    #: The command at which it says nothing any more.
    hangs_at: str = ""
    #: It says that it has marked mails, and has not.
    forgets_marks: bool = False
    #: The command that it refuses.
    refuses: str = ""
    ending: threading.Event = field(default_factory=threading.Event)

    def add(self, raw: bytes) -> int:
        uid = max(self.mails, default=10) + 1
        self.mails[uid] = raw.replace(b"\n", b"\r\n")
        return uid


class _Session:
    def __init__(self, server: ImapServer, sock: socket.socket) -> None:
        self.server, self.sock = server, sock
        self.is_read_only = False

    def run(self) -> None:
        self.say(b"* OK ready")
        with self.sock.makefile("rb") as lines:
            for line in lines:
                tag, _, command = line.decode().strip().partition(" ")
                verb = command.upper().removeprefix("UID ").partition(" ")[0]
                self.server.commands.append(verb)
                if verb == self.server.hangs_at:
                    self.server.ending.wait(LONG)
                    return
                said = "NO not now" if verb == self.server.refuses else self.obey(verb, command)
                self.say(f"{tag} {said}".encode())
                if verb == "LOGOUT":
                    return

    def say(self, line: bytes) -> None:
        self.sock.sendall(line + b"\r\n")

    def obey(self, verb: str, command: str) -> str:
        server = self.server
        if verb == "CAPABILITY":
            self.say(b"* CAPABILITY IMAP4rev1")
        elif verb == "LOGIN":
            user, password = re.findall(r'"?([^" ]+)"?', command)[1:3]
            return "OK in" if server.users.get(user) == password else "NO [AUTHENTICATIONFAILED] no"
        elif verb in {"SELECT", "EXAMINE"}:
            self.is_read_only = verb == "EXAMINE"
            server.folders.append(command.split(" ", 1)[1])
            self.say(f"* {len(server.mails)} EXISTS\r\n* OK [UIDVALIDITY {server.validity}] ok".encode())
            return "OK [READ-ONLY] ok" if self.is_read_only else "OK [READ-WRITE] ok"
        elif verb == "SEARCH":
            return self.search(command)
        elif verb == "FETCH":
            for uid in map(int, command.split()[2].split(",")):
                self.fetch(uid, command)
        elif verb == "STORE":
            assert not self.is_read_only
            assert command.endswith(r"+FLAGS.SILENT (\Seen)")
            if not server.forgets_marks:
                server.seen.update(map(int, command.split()[2].split(",")))
        elif verb == "LOGOUT":
            self.say(b"* BYE")
        return "OK done"

    def search(self, command: str) -> str:
        if "HEADER" in command and not self.server.searches_headers:
            return "BAD no such thing here"
        asked = re.search(r'HEADER (\S+) "([^"]*)"', command)
        found = [uid for uid in sorted(self.server.mails) if uid not in self.server.seen and self.has(uid, asked)]
        self.say(f"* SEARCH {' '.join(map(str, found))}".rstrip().encode())
        return "OK done"

    def has(self, uid: int, asked: "re.Match[str] | None") -> bool:
        if asked is None:
            return True
        head = self.server.mails[uid].partition(b"\r\n\r\n")[0] + b"\r\n"
        line = re.search(rb"^%s:.*\r\n(?:[ \t].*\r\n)*" % asked[1].encode(), head, re.MULTILINE | re.IGNORECASE)
        return line is not None and asked[2].lower().encode() in line[0].lower()

    def fetch(self, uid: int, command: str) -> None:
        raw = self.server.mails[uid]
        part, name = raw, "BODY[]"
        if asked := re.search(r"HEADER\.FIELDS \(([A-Z-]+)\)", command):
            head = raw.partition(b"\r\n\r\n")[0] + b"\r\n"
            found = re.search(rb"^%s:.*\r\n(?:[ \t].*\r\n)*" % asked[1].encode(), head, re.MULTILINE | re.IGNORECASE)
            part, name = (found[0] if found else b"") + b"\r\n", f"BODY[HEADER.FIELDS ({asked[1]})]"
        elif partial := re.search(r"BODY\.PEEK\[\]<0\.(\d+)>", command):
            part, name = raw[: int(partial[1])], "BODY[]<0>"
        # As some servers do, the size behind the text.
        self.sock.sendall(f"* {uid - 10} FETCH (UID {uid} {name} {{{len(part)}}}\r\n".encode() + part)
        self.say(f" RFC822.SIZE {len(raw)})".encode())


@contextmanager
def running(server: ImapServer) -> Iterator[ImapServer]:
    with serving(partial(_serve, server)) as server.port:
        yield server
        server.ending.set()


def _serve(server: ImapServer, sock: socket.socket) -> None:
    with suppress(OSError, ValueError), server.tls.wrap_socket(sock, server_side=True) as secured:
        _Session(server, secured).run()
