"""A urllib3 pool whose requests end within a deadline, and that knows whether a body byte was sent.

urllib3's read timeout holds for each read: a server that sends one byte a second keeps a request alive for ever.
"""

import socket
import time
from typing import Any, NoReturn

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from newsdesk.core.errors import ProviderError
from tasks.http.watchdog import watchdog

#: A connection idle for longer is opened anew: a server that closed it meanwhile would make the outcome unknown.
MAX_IDLE = 5.0
CONNECT_TIMEOUT = 5.0


class BodyBegunError(ProviderError):
    """The request broke after the first byte of its body was handed to the network."""


class _Watched:
    """Mixed into urllib3's connections: a deadline for the whole request, and a note of the first body byte."""

    deadline = 60.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._headers_done = False
        self._body_begun = False
        self._last_used = time.monotonic()
        self._alarm = 0

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._headers_done = self._body_begun = False
        if time.monotonic() - self._last_used > MAX_IDLE:
            self.close()  # type: ignore[attr-defined]
        self._alarm = watchdog.call_in(self.deadline, self._hang_up)
        try:
            super().request(*args, **kwargs)  # type: ignore[misc]
        except BrokenPipeError:
            # The server hung up while we wrote; it may have answered first, and urllib3 goes on to read that.
            raise
        except Exception as error:  # noqa: BLE001 - each is raised again, as what it means
            self._stop_alarm()
            self._raise(error)

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        super().endheaders(*args, **kwargs)  # type: ignore[misc]
        self._headers_done = True

    def send(self, data: Any) -> None:
        if self._headers_done:
            self._body_begun = True
        super().send(data)  # type: ignore[misc]

    def getresponse(self) -> Any:
        try:
            # urllib3 reads the whole answer here, while the deadline still holds.
            return super().getresponse()  # type: ignore[misc]
        except Exception as error:  # noqa: BLE001 - each is raised again, as what it means
            self._raise(error)
        finally:
            self._stop_alarm()
            self._last_used = time.monotonic()

    def _hang_up(self) -> None:
        sock = getattr(self, "sock", None)
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def _stop_alarm(self) -> None:
        watchdog.forget(self._alarm)

    def _raise(self, error: Exception) -> NoReturn:
        self.close()  # type: ignore[attr-defined]
        if self._body_begun:
            raise BodyBegunError(f"{type(error).__name__}: {error}"[:300]) from error
        raise error


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
