"""The broker: Valkey on a private socket, with an append-only file."""

import signal
import socket
from collections.abc import Sequence
from pathlib import Path

from newsdesk.local_stack.engines import binaries
from newsdesk.local_stack.engines.engine import Engine
from newsdesk.local_stack.engines.site import Site

SOCKET = "valkey.sock"


class Valkey(Engine):
    name = "valkey"
    title = "Valkey"
    stop_signal = signal.SIGTERM

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._program: Path | None = None

    def prepare(self) -> None:
        self.site.account.own(self.folder)
        self._program = binaries.reachable_valkey(binaries.valkey(), self.site.account, self.site.data)

    def command(self) -> Sequence[str | Path]:
        assert self._program is not None
        settings = {
            "port": "0",
            "unixsocket": str(self.site.sockets / SOCKET),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "appendonly": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        return [self._program, *(part for name, value in settings.items() for part in (f"--{name}", value))]

    def answers(self) -> bool:
        return sockets_answer(self.site.sockets)


def sockets_answer(sockets: Path) -> bool:
    """Whether a broker serves on this folder of sockets; not yet while it still loads its file."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(5)
            client.connect(str(sockets / SOCKET))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
    except OSError:
        return False
