"""PostgreSQL and Valkey on a host, for others to reach, and copies of them that follow."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import redis

from newsdesk.core.home import Home
from newsdesk.local_stack.engines import site as sites
from newsdesk.local_stack.engines.postgres import Postgres
from newsdesk.local_stack.engines.valkey import SOCKET, Valkey
from tests.hosts import Host
from tests.machine import give_cluster
from tests.waiting import eventually

#: Whoever is in the network may do anything: nobody else sees it.
_ACCESS = (
    "local all all trust\nhost all all samenet trust\nlocal replication all trust\nhost replication all samenet trust\n"
)
_FOLLOWERS = "SELECT sync_state, replay_lsn = pg_current_wal_lsn() FROM pg_stat_replication"


class DataHost:
    """The engines of one host, in their own home with a copy of the migrated cluster."""

    def __init__(self, host: Host, folder: Path, cluster: Path) -> None:
        folder.mkdir(mode=0o711)
        self.host, self.home = host, Home(folder)
        give_cluster(self.home, cluster)
        self.site = sites.prepare(self.home)
        self.site.account.own(self.site.sockets)
        self._postgres, self._valkey = Postgres(self.site), Valkey(self.site)

    def start(self, *, synchronous: bool = False) -> None:
        """Start both and wait until they answer. `synchronous`: a commit waits for the copy, once there is one."""
        options = {"synchronous_standby_names": "copy"} if synchronous else {}
        self._start_postgres(options)
        self._start_valkey([])

    def follow(self, other: "DataHost") -> None:
        """Start both as copies of the other's, and wait until they have caught up."""
        (self._postgres.folder / "standby.signal").touch()
        address = other.host.address
        where = f"host={address} port=5432 user=app application_name=copy"
        self._start_postgres({"primary_conninfo": where})
        self._start_valkey(["--replicaof", f"{address} 6379"])
        assert eventually(lambda: other.followers() and all(caught_up for _, caught_up in other.followers()))
        assert eventually(lambda: self.valkey(lambda client: client.info("replication")["master_link_status"]) == "up")

    def followers(self) -> list[tuple[str, bool]]:
        """How each copy of the database follows (async, sync), and whether it has applied everything."""
        with self.connect() as database:
            return [(str(state), bool(caught_up)) for state, caught_up in database.execute(_FOLLOWERS.encode())]

    def promote_database(self) -> None:
        """The copy becomes what it follows."""
        with self.connect() as database:
            assert database.execute("SELECT pg_promote()").fetchone() == (True,)

    def promote_broker(self) -> None:
        """The copy becomes what it follows."""
        assert self.valkey(lambda client: client.replicaof("NO", "ONE"))

    def connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg.connect(
            host=str(self.site.sockets), user="app", dbname="newsdesk", connect_timeout=5, autocommit=True
        )

    def valkey(self, ask: Any) -> Any:
        """The answer of a client on its socket; None when it does not answer."""
        with suppress(redis.RedisError), redis.Redis(unix_socket_path=str(self.site.sockets / SOCKET)) as client:
            return ask(client)

    def _start_postgres(self, options: dict[str, str]) -> None:
        self._postgres.prepare()
        access = self.site.data / "access.conf"
        access.write_text(_ACCESS, encoding="ascii")
        access.chmod(0o644)
        options = {"listen_addresses": "*", "hba_file": str(access), "unix_socket_permissions": "0777", **options}
        words = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self._start(self._postgres.command(), words, self._postgres.log)
        assert eventually(self._answers), self._postgres.log.read_text()

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _start_valkey(self, words: Sequence[str]) -> None:
        self._valkey.prepare()
        network = ["--port", "6379", "--bind", "0.0.0.0", "--protected-mode", "no"]
        self._start(self._valkey.command(), [*network, *words], self._valkey.log)
        assert eventually(lambda: self.valkey(lambda client: client.ping())), self._valkey.log.read_text()

    def _start(self, command: Sequence[str | Path], words: Sequence[str], log: Path) -> None:
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        user = self.site.account.ids
        self.host.start([*command, *words], log, env=env, cwd=self.site.data, user=user)
