"""Listening sockets, opened before the programs that serve them and kept open while those restart."""

import socket
from collections.abc import Iterable
from contextlib import suppress

from newsdesk.core.errors import OperationFailedError

BACKLOG = 1024


def listen(port: int, *, host: str = "127.0.0.1") -> socket.socket:
    """A listening socket; 0 is any free port. Raises OSError when the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def listen_at(port: int) -> socket.socket:
    """A socket on exactly this port. Raises OperationFailedError when it is taken."""
    try:
        return listen(port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OperationFailedError(f"Port {port} cannot be used: {reason}.") from error


def listen_near(preferred: Iterable[int]) -> socket.socket:
    """A socket on the first of these ports that is free, else on any."""
    for port in preferred:
        with suppress(OSError, OverflowError):
            return listen(port)
    return listen(0)


def port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])
