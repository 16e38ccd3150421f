"""Gunicorn's worker of threads, in which `/healthz` never waits for a thread that waits for something else."""

import socket
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import DEFAULT_WORKER_DATA_TIMEOUT, TConn, ThreadWorker

#: How a question about health begins, and what ends it: one that is not there as a whole could keep its thread waiting.
_HEALTH = (b"GET /healthz ", b"HEAD /healthz ")
_END, _MOST = b"\r\n\r\n", 4096


class Worker(ThreadWorker):
    """As gunicorn's `gthread`, but for two things.

    A connection takes a thread once something has come over it, not before: idle ones cost none. And questions about health are answered by a thread
    of their own: all others may be waiting for a database that stands still.
    """

    def init_process(self) -> None:
        self._health = ThreadPoolExecutor(1, "health")
        super().init_process()

    def accept(self, listener: Any) -> None:
        """Take a connection, and wait for its first bytes with all others that are idle."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        conn = TConn(self.cfg, client, address, listener.getsockname())
        conn.timeout = time.monotonic() + DEFAULT_WORKER_DATA_TIMEOUT
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def enqueue_req(self, conn: Any) -> None:
        """Give the request to a thread: the one for health, or any other."""
        threads = self._health if _is_about_health(conn.sock) else self.tpool
        future: Future[Any] = threads.submit(self.handle, conn)
        future.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))


def _is_about_health(connection: socket.socket) -> bool:
    """Whether a whole question about health waits to be read. Reads nothing and does not wait."""
    try:
        begun = connection.recv(_MOST, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except (OSError, ValueError):
        return False
    return begun.startswith(_HEALTH) and begun.endswith(_END)
