"""The database: PostgreSQL on a private socket, durable unless a test asks otherwise."""

import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import psycopg

from newsdesk.core.errors import OperationFailedError
from newsdesk.local_stack.engines import binaries
from newsdesk.local_stack.engines.engine import Engine
from newsdesk.local_stack.engines.site import Site, small_shared_memory

USER = "app"
DATABASE = "newsdesk"
PORT = 5432
#: The first version with a locale of its own, the same on every system.
BUILTIN_LOCALE = 17


class Postgres(Engine):
    name = "postgres"
    title = "PostgreSQL"
    stop_signal = signal.SIGINT

    def __init__(self, site: Site, *, programs: str = "", durable: bool = True) -> None:
        super().__init__(site)
        self.durable = durable
        self._setting = programs
        self._programs: Path | None = None

    @property
    def programs(self) -> Path:
        if self._programs is None:
            folder = binaries.postgres(self._setting)
            self._programs = binaries.reachable_postgres(folder, self.site.account, self.site.data)
        return self._programs

    def prepare(self) -> None:
        version = binaries.major_version(self.programs)
        mark = self.folder / "PG_VERSION"
        if not mark.exists():
            self._initialise(version)
        made_by = mark.read_text(encoding="ascii").strip()
        if made_by != str(version):
            raise OperationFailedError(
                f"PostgreSQL: {self.folder} was made by version {made_by}, but the programs are version {version}; "
                f"dump it with the old ones, or let NEWSDESK_POSTGRES_BIN name them."
            )
        self._forget_dead_postmaster()

    def _initialise(self, version: int) -> None:
        draft = self.site.data / "postgres.draft"
        shutil.rmtree(draft, ignore_errors=True)
        log_start = self._log_size()
        locale = (
            ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            if version >= BUILTIN_LOCALE
            else ["--locale=C.UTF-8"]
        )
        durability = [] if self.durable else ["--no-sync"]
        process = self.spawn(
            [self.programs / "initdb", "-D", draft, "-U", USER, "-E", "UTF8", *locale, "-A", "trust", *durability]
        )
        process.wait(120)
        if process.returncode != 0:
            process.kill()
            raise self.failed(log_start)
        draft.rename(self.folder)

    def _forget_dead_postmaster(self) -> None:
        """Remove a pid file whose number now belongs to another program, as after a container's restart.

        The lock proves that no server of ours lives; one started by hand is recognised by its name.
        """
        pid_file = self.folder / "postmaster.pid"
        try:
            pid = int(pid_file.read_text(encoding="ascii").split("\n", 1)[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return
        if b"postgres" not in command:
            pid_file.unlink()

    def command(self) -> Sequence[str | Path]:
        switch = "on" if self.durable else "off"
        settings = {
            "listen_addresses": "",
            "port": PORT,
            "unix_socket_permissions": "0700",
            "max_connections": 100,
            "shared_buffers": "128MB" if self.durable else "32MB",
            "fsync": switch,
            "synchronous_commit": switch,
            "full_page_writes": switch,
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_min_error_statement": "panic",
        }
        if self.durable:
            settings["max_wal_size"] = "2GB"
        if sys.platform == "linux":
            # After a crash one call instead of one for each of 1,300 files: half the time, and far less on a busy disk.
            settings["recovery_init_sync_method"] = "syncfs"
        if small_shared_memory():
            settings["dynamic_shared_memory_type"] = "mmap"
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [self.programs / "postgres", "-D", self.folder, "-k", self.site.sockets, *options]

    def connect(self, database: str = "postgres") -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(
            host=str(self.site.sockets), port=PORT, user=USER, dbname=database, connect_timeout=5, autocommit=True
        )

    def answers(self) -> bool:
        """Whether it serves the project's database; makes that database the first time."""
        try:
            with self.connect() as connection:
                known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                if not known:
                    connection.execute(f"CREATE DATABASE {DATABASE}".encode())
        except psycopg.OperationalError:
            return False
        return True

    def finish(self, seconds: float) -> None:
        """As every engine; before force, the shutdown that leaves the unfinished to PostgreSQL's crash recovery."""
        if self.process is not None and not self.process.wait(seconds):
            self.process.signal(signal.SIGQUIT)
            seconds = 2.0
        super().finish(seconds)


def sockets_answer(sockets: Path) -> bool:
    """Whether a database serves on this folder of sockets, whoever started it."""
    if not (sockets / f".s.PGSQL.{PORT}").exists():
        return False
    try:
        psycopg.connect(host=os.fspath(sockets), port=PORT, user=USER, dbname=DATABASE, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
