"""The database engine of `newsdesk.settings`."""

from types import ModuleType
from typing import Any, cast

import psycopg
from django.db.backends.postgresql import base

from newsdesk.core.postgres import patience, pooling

#: After 30 s without a word from our machine the server ends the session, and with it what it has locked: 10 + 4 × 5 where nothing was
#: under way. Where an answer was, no keepalives are sent, and the kernel would repeat it for a quarter of an hour (tcp(7),
#: TCP_USER_TIMEOUT, in milliseconds). Not as libpq's `options`, which PgBouncer refuses.
_DEAD_CLIENTS = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "4",
    "tcp_user_timeout": "30000",
}
_END_DEAD_CLIENTS = "SELECT " + ", ".join(
    f"set_config('{name}', '{value}', false)" for name, value in _DEAD_CLIENTS.items()
)


class Connection(psycopg.Connection[Any]):
    """One whose waits end with the time that `patience.at_most` gives the thread."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """As psycopg's. Raises psycopg.OperationalError, and closes the connection, when the time is over."""
        left = patience.remaining()
        if left is None or (timeout is not None and timeout <= left):
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, left)
        except psycopg.errors._WaitTimeout as error:  # noqa: SLF001 - what `wait` is documented to raise
            self.close()
            raise psycopg.OperationalError("the database did not answer in time") from error


class _Psycopg:
    """The module psycopg, as Django uses it, with our connections."""

    connect = Connection.connect

    def __getattr__(self, name: str) -> Any:
        return getattr(psycopg, name)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, over connections that do not wait for ever."""

    Database = cast(ModuleType, _Psycopg())

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Django's. Raises psycopg.OperationalError at once in a thread whose time is over."""
        if patience.remaining() == 0:
            raise psycopg.OperationalError("there is no time left for the database")
        return super().get_new_connection(conn_params)

    def get_connection_params(self) -> dict[str, Any]:
        """Django's; a thread with little time waits no longer for a connection either (whole seconds, two at least)."""
        params: dict[str, Any] = super().get_connection_params()
        left = patience.remaining()
        if left is not None:
            params["connect_timeout"] = max(2, min(int(left), int(params.get("connect_timeout", left))))
        return params

    def init_connection_state(self) -> None:
        """Django's; a machine of ours that is cut off keeps its locks for half a minute."""
        super().init_connection_state()
        connection: Any = self.connection
        connection.execute(_END_DEAD_CLIENTS)

    def chunked_cursor(self) -> Any:
        """Django's: rows come from the server in pieces. All at once where a pooler may have the cursor end with its transaction."""
        if not self.in_atomic_block and pooling.is_between(self):
            return self.cursor()
        return super().chunked_cursor()
