"""A urllib3 pool whose requests end within a deadline, and that knows whether a body byte was sent.

urllib3's read timeout holds for each read: a server that sends one byte a second keeps a request alive for ever. Names are
resolved within the time for connecting, and the first byte of a body leaves only while it may (`first_byte`).
"""

import contextlib
import socket
import time
from collections.abc import Iterator
from functools import partial
from typing import Any, NoReturn

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from newsdesk.core.errors import ProviderError
from tasks.http import first_byte, names
from tasks.http.watchdog import watchdog

#: A connection idle for longer is opened anew: a server that closed it meanwhile would make the outcome unknown.
MAX_IDLE = 5.0
CONNECT_TIMEOUT = 5.0
#: Bytes between two looks at the clock, and seconds between two tries to hang up what was still connecting.
_PIECE = 1 << 18
_AGAIN = 0.2
#: Addresses of a name that are tried.
_ADDRESSES = 3


class BodyBegunError(ProviderError):
    """The request broke after the first byte of its body was handed to the network."""


class _Watched:
    """Mixed into urllib3's connections: a deadline for the whole request, and a note of the first body byte."""

    deadline = 60.0
    _dns_host: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._headers_done = False
        self._body_begun = False
        self._last_used = time.monotonic()
        self._until = float("inf")
        #: Numbers of the watchdog's entries for the request that runs; another request has another list.
        self._alarms: list[int] | None = None

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._headers_done = self._body_begun = False
        if time.monotonic() - self._last_used > MAX_IDLE:
            self.close()  # type: ignore[attr-defined]
        self._until = first_byte.now() + self.deadline
        alarms: list[int] = []
        self._alarms = alarms
        alarms.append(watchdog.call_in(self.deadline, partial(self._hang_up, alarms)))
        try:
            super().request(*args, **kwargs)  # type: ignore[misc]
        except BrokenPipeError:
            # The server hung up while we wrote; it may have answered first, and urllib3 goes on to read that.
            raise
        except Exception as error:  # noqa: BLE001 - each is raised again, as what it means
            self._stop_alarm()
            self._raise(error)

    def _new_conn(self) -> Any:
        """Connect to the name's addresses one after the other: resolving them is within the time too."""
        name, over_at = self._dns_host, time.monotonic() + CONNECT_TIMEOUT
        found = names.addresses(name, self.port or 0, seconds=CONNECT_TIMEOUT)  # type: ignore[attr-defined]
        found = found[:_ADDRESSES]
        try:
            while True:
                self._dns_host = found.pop(0)
                try:
                    return super()._new_conn()  # type: ignore[misc]
                except (urllib3.exceptions.HTTPError, OSError):
                    if not found or time.monotonic() > over_at:
                        raise
        finally:
            # TLS asks for the name's certificate.
            self._dns_host = name

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        super().endheaders(*args, **kwargs)  # type: ignore[misc]
        self._headers_done = True

    def send(self, data: Any) -> None:
        if not self._headers_done:
            super().send(data)  # type: ignore[misc]
            return
        for piece in _pieces(data):
            if first_byte.now() > self._until:
                # Suspended in the middle: what was never whole is not made whole now.
                raise TimeoutError("the time for the request was over before its body was sent")
            if not self._body_begun:
                first_byte.check()
                self._body_begun = True
            super().send(piece)  # type: ignore[misc]

    def getresponse(self) -> Any:
        try:
            # urllib3 reads the whole answer here, while the deadline still holds.
            return super().getresponse()  # type: ignore[misc]
        except Exception as error:  # noqa: BLE001 - each is raised again, as what it means
            self._raise(error)
        finally:
            self._stop_alarm()
            self._last_used = time.monotonic()

    def _hang_up(self, alarms: list[int]) -> None:
        """Called by the watchdog, again and again until the request is over: it may still be connecting."""
        if self._alarms is not alarms:
            return
        sock = getattr(self, "sock", None)
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        alarms[:] = [watchdog.call_in(_AGAIN, partial(self._hang_up, alarms))]

    def _stop_alarm(self) -> None:
        alarms, self._alarms = self._alarms, None
        for alarm in alarms or ():
            watchdog.forget(alarm)

    def _raise(self, error: Exception) -> NoReturn:
        self.close()  # type: ignore[attr-defined]
        if self._body_begun:
            raise BodyBegunError(f"{type(error).__name__}: {error}"[:300]) from error
        raise error


def _pieces(data: Any) -> Iterator[Any]:
    """A large body bit by bit; whatever is not bytes as it is."""
    if not isinstance(data, bytes):
        yield data
        return
    view = memoryview(data)
    for at in range(0, len(view), _PIECE):
        yield view[at : at + _PIECE]


class _WatchedHTTP(_Watched, HTTPConnection):
    pass


class _WatchedHTTPS(_Watched, HTTPSConnection):
    pass


def pool_classes(deadline: float) -> dict[str, type[HTTPConnectionPool]]:
    """urllib3's pools by scheme, each request of which ends within `deadline` seconds."""

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = type("WatchedHTTP", (_WatchedHTTP,), {"deadline": deadline})

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = type("WatchedHTTPS", (_WatchedHTTPS,), {"deadline": deadline})

    return {"http": PlainPool, "https": SecurePool}


def pool_manager(*, deadline: float = 60.0, connections: int = 4) -> urllib3.PoolManager:
    """A pool without retries; each request ends within `deadline` seconds, connecting within 5 s of them."""
    pool = urllib3.PoolManager(
        num_pools=4,
        maxsize=connections,
        retries=False,
        timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT, read=deadline),
    )
    pool.pool_classes_by_scheme = pool_classes(deadline)
    return pool
