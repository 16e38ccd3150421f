"""A copy of a house's database that follows it, and takes its place when the database is lost with its disk."""

import os
import shutil
import signal
from typing import TYPE_CHECKING, Any

import psycopg

from newsdesk.core.child_process import ChildProcess
from newsdesk.local_stack.engines import site as sites
from newsdesk.local_stack.engines.postgres import DATABASE, PORT, USER, Postgres
from tests.machine import children, command
from tests.waiting import eventually

if TYPE_CHECKING:
    from tests.chaos.house import House

NAME = "copy"
#: On the sockets of the house, beside the database itself.
COPY_PORT = PORT + 1
#: Seconds that making the copy may take, in failure only.
UNTIL_COPIED = 300.0
_FOLLOWS = (
    "SELECT count(*) FROM pg_stat_replication WHERE application_name = %s AND state = 'streaming' AND sync_state = %s"
)
_HAS_APPLIED = "SELECT count(*) FROM pg_stat_replication WHERE application_name = %s AND replay_lsn >= %s::pg_lsn"


class _Copy(Postgres):
    name = NAME


class Standby:
    """Made while the house runs, and following it from then on.

    `synchronous`: a commit waits for it, so that it lacks nothing. Otherwise `fall_behind` makes it lack what is committed afterwards.
    """

    def __init__(self, house: "House", *, synchronous: bool) -> None:
        self._house = house
        self._engine = _Copy(sites.prepare(house.home))
        self._original = Postgres(self._engine.site)
        self._synchronous = synchronous
        shutil.rmtree(self._engine.folder, ignore_errors=True)
        sockets = self._engine.site.sockets
        whence = ("-h", sockets, "-p", str(PORT), "-U", USER)
        backup = self._engine.spawn(
            [self._engine.programs / "pg_basebackup", *whence, "-D", self._engine.folder, "--checkpoint=fast"]
        )
        assert backup.wait(UNTIL_COPIED), "pg_basebackup takes too long"
        assert backup.returncode == 0, self._engine.log.read_text()
        (self._engine.folder / "standby.signal").touch()
        follow = f"primary_conninfo=host={sockets} port={PORT} user={USER} application_name={NAME}"
        words = ("-c", f"port={COPY_PORT}", "-c", follow, "-c", "max_wal_size=256MB")
        self._process: ChildProcess = self._engine.spawn([*self._engine.command(), *words])
        if synchronous:
            self._tell_original(f"ALTER SYSTEM SET synchronous_standby_names = '{NAME}'")
        kind = "sync" if synchronous else "async"
        assert eventually(lambda: house.rows(_FOLLOWS, [NAME, kind]) == [(1,)]), self._engine.log.read_text()

    def fall_behind(self) -> None:
        """Freeze it as it has applied all that is committed by now."""
        ((now,),) = self._house.rows("SELECT pg_current_wal_lsn()::text")
        assert eventually(lambda: self._house.rows(_HAS_APPLIED, [NAME, now]) == [(1,)])
        for pid in self._processes():
            os.kill(pid, signal.SIGSTOP)

    def take_over(self) -> bool:
        """The database is killed, its files are gone, and the copy serves where it did; False when it is down already.

        Its process manager sleeps meanwhile, lest it start the old one again.
        """
        manager = self._house.up.process.pid
        os.kill(manager, signal.SIGSTOP)
        try:
            original = self._house.up.child("bin/postgres")
            if not original:
                return False
            _kill_all([original, *children(original)])
            for pid in self._processes():
                os.kill(pid, signal.SIGCONT)
            with self._connect() as copy:
                assert copy.execute("SELECT pg_promote()").fetchone() == (True,)
            self._process.signal(self._engine.stop_signal)
            assert self._process.wait(UNTIL_COPIED)
            shutil.rmtree(self._original.folder)
            self._engine.folder.rename(self._original.folder)
        finally:
            os.kill(manager, signal.SIGCONT)
        return True

    def dismiss(self) -> None:
        """End it, if it has not taken over; nobody waits for it any more."""
        if self._synchronous:
            self._tell_original("ALTER SYSTEM RESET synchronous_standby_names")
        for pid in self._processes():
            os.kill(pid, signal.SIGKILL)
        self._process.kill()
        shutil.rmtree(self._engine.folder, ignore_errors=True)

    def _processes(self) -> list[int]:
        return [pid for pid in (self._process.pid, *children(self._process.pid)) if command(pid)]

    def _connect(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(
            host=str(self._engine.site.sockets), port=COPY_PORT, user=USER, dbname=DATABASE, autocommit=True
        )

    def _tell_original(self, setting: str) -> None:
        def tell(database: "psycopg.Connection[Any]") -> None:
            database.execute(setting.encode())
            database.execute("SELECT pg_reload_conf()")

        self._house.with_database(tell)


def _kill_all(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    assert eventually(lambda: not any(map(command, pids)))
