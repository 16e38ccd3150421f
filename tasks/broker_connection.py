"""One connection of this process to the broker for what it enqueues, on which nobody waits for long.

A broker that is stopped takes every byte and answers none: without a limit whoever enqueues stands still with it.
"""

import os
import time
from threading import Lock
from typing import Any

from celery import current_app
from kombu.connection import Connection
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

BROKER_ERRORS = (OperationalError, RedisError, OSError)
#: Seconds that a caller waits at most for the broker, and for other threads of its process that ask it.
PATIENCE = 0.4
#: Seconds for which a broker that did not answer is not asked again: recovery enqueues what is due.
REST = 5.0


class BrokerRestsError(OperationalError):
    """The broker did not answer a moment ago, and is not asked again yet."""


class BrokerConnection:
    """Sends Celery messages, one at a time."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew, without the connection: it belongs to the parent where a process was forked."""
        self._lock = Lock()
        self._connection: Connection | None = None
        self._asked_again_at = 0.0

    def send(self, task: str, args: tuple[object, ...], *, countdown: float = 0, unless_waiting_in: str = "") -> None:
        """Send one message; none while others wait in the queue `unless_waiting_in`, where one is named.

        Raises one of BROKER_ERRORS when the broker does not answer within PATIENCE.
        """
        if not self._lock.acquire(timeout=PATIENCE):
            raise BrokerRestsError("another message is waiting for the broker")
        try:
            if time.monotonic() < self._asked_again_at:
                raise BrokerRestsError("the broker did not answer a moment ago")
            self._send(task, args, countdown, unless_waiting_in)
        finally:
            self._lock.release()

    def _send(self, task: str, args: tuple[object, ...], countdown: float, queue: str) -> None:
        began = time.monotonic()
        had_connection = self._connection is not None
        try:
            self._send_once(task, args, countdown, queue)
        except BROKER_ERRORS:
            self._drop()
            # A broker that was started anew has closed the connection: it says so at once, and takes another.
            if not had_connection or time.monotonic() - began > PATIENCE / 2:
                self._asked_again_at = time.monotonic() + REST
                raise
            try:
                self._send_once(task, args, countdown, queue)
            except BROKER_ERRORS:
                self._drop()
                self._asked_again_at = time.monotonic() + REST
                raise

    def _send_once(self, task: str, args: tuple[object, ...], countdown: float, queue: str) -> None:
        if self._connection is None:
            self._connection = current_app.connection_for_write(
                transport_options={
                    **current_app.conf.broker_transport_options,
                    "socket_timeout": PATIENCE,
                    "socket_connect_timeout": PATIENCE,
                }
            )
        channel: Any = self._connection.default_channel
        if queue and channel.client.llen(queue):
            return
        current_app.send_task(task, args=args, countdown=countdown or None, connection=self._connection, retry=False)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        try:
            if connection is not None:
                connection.close()  # type: ignore[no-untyped-call]
        except BROKER_ERRORS:
            pass  # it is of no more use, whatever it says


broker = BrokerConnection()
os.register_at_fork(after_in_child=broker.forget)
