"""The engines of one home: one owner at a time, started together, stopped together."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from types import TracebackType
from typing import Self

from newsdesk.core.errors import OperationFailedError
from newsdesk.core.file_locks import INTERVAL, PATIENCE_BEFORE_WORD, Lock, note
from newsdesk.core.home import Home
from newsdesk.local_stack.engines import postgres as database
from newsdesk.local_stack.engines import site as sites
from newsdesk.local_stack.engines import valkey as broker
from newsdesk.local_stack.engines.engine import Engine
from newsdesk.local_stack.engines.postgres import Postgres
from newsdesk.local_stack.engines.valkey import Valkey

#: How long a `newsdesk up` that has begun may need until its engines answer (a first start, or a recovery).
START_PATIENCE = 300.0
STOP_PATIENCE = 8.0
SHARED = "shared"

Say = Callable[[str], None]


def say_on_stderr(text: str) -> None:
    sys.stderr.write(f"newsdesk: {text}\n")


class Engines:
    """The engines of a home, as a context manager: inside it they serve; outside the home's lock is free again."""

    def __init__(
        self,
        home: Home,
        *,
        postgres: bool = True,
        valkey: bool = True,
        programs: str = "",
        durable: bool = True,
        shared: bool = False,
        say: Say = say_on_stderr,
    ) -> None:
        """`programs` is the folder of PostgreSQL's programs, "" for the wheel's; `durable=False` is for tests.

        `shared` engines stay long enough that commands in the same home may use them.
        """
        self.home = home
        self.say = say
        self._wanted = (postgres, valkey)
        self._programs = programs
        self._durable = durable
        self._shared = shared
        self._owner: Lock | None = None
        self.engines: list[Engine] = []

    @cached_property
    def site(self) -> sites.Site:
        return sites.prepare(self.home)

    def __enter__(self) -> Self:
        """Start them. Raises OperationFailedError when somebody else owns them or when one does not start."""
        if not self.try_start():
            raise OperationFailedError(f"The engines of {self.home.path} are in use by another process.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def try_start(self) -> bool:
        """Start them; False when another process owns them. Raises OperationFailedError when one does not start."""
        site = self.site
        owner = Lock(site.owner_lock)
        if not owner.try_acquire():
            return False
        self._owner = owner
        owner.note(SHARED if self._shared else "")
        if self._durable and sites.in_memory(site.data):
            self.say(
                f"{site.data} is in memory: a reboot loses the database, and with it every promise about delivery."
            )
        postgres, valkey = self._wanted
        if postgres:
            self.engines.append(Postgres(site, programs=self._programs, durable=self._durable))
        if valkey:
            self.engines.append(Valkey(site))
        try:
            sites.own_sockets(site.sockets, site.account)
            for engine in self.engines:
                engine.start()
        except BaseException:
            self.stop()
            raise
        return True

    def restart_dead(self) -> tuple[str, ...]:
        """Start again what has died; the names of what was. Raises OperationFailedError when one does not start."""
        dead = [engine for engine in self.engines if engine.is_dead]
        for engine in dead:
            engine.start()
        return tuple(engine.name for engine in dead)

    def pids(self) -> dict[str, int]:
        return {engine.name: engine.process.pid for engine in self.engines if engine.process}

    def stop(self) -> None:
        """End them all; may be called twice."""
        for engine in self.engines:
            engine.ask_to_stop()
        deadline = time.monotonic() + STOP_PATIENCE
        for engine in self.engines:
            engine.finish(deadline - time.monotonic())
        self.engines = []
        if self._owner is not None:
            sites.remove_sockets(self.site.sockets, self.site.account)
            self._owner.release()
            self._owner = None


@contextmanager
def ensure_running(
    home: Home, *, postgres: bool = True, valkey: bool = True, programs: str = "", say: Say = say_on_stderr
) -> Iterator[None]:
    """Inside, the engines of the home serve: those of a running `newsdesk up`, else ours for as long.

    Waits for another command that owns them. Raises OperationFailedError when they do not start.
    """
    engines = Engines(home, postgres=postgres, valkey=valkey, programs=programs, say=say)
    if postgres or valkey:
        _start_or_borrow(engines, postgres=postgres, valkey=valkey)
    try:
        yield
    finally:
        engines.stop()


def _start_or_borrow(engines: Engines, *, postgres: bool, valkey: bool) -> None:
    start, announced, home = time.monotonic(), False, engines.home
    while not engines.try_start():
        waited = time.monotonic() - start
        # Engines that are not shared end with the command that owns them.
        shared = note(engines.site.owner_lock) == SHARED
        if shared and _answer(home, postgres=postgres, valkey=valkey):
            return
        if shared and waited > START_PATIENCE:
            raise OperationFailedError(f"A newsdesk up runs in {home.path}, but its engines do not answer.")
        if waited > PATIENCE_BEFORE_WORD and not announced:
            engines.say(f"waiting for another command that uses {home.path}")
            announced = True
        time.sleep(INTERVAL)


def _answer(home: Home, *, postgres: bool, valkey: bool) -> bool:
    return (not postgres or database.sockets_answer(home.sockets)) and (
        not valkey or broker.sockets_answer(home.sockets)
    )
