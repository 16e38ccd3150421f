"""A pytest plugin that tries mutants: tests are collected and PostgreSQL is started once, then each mutant gets a fork of that.

A mutant meets the tests that run its line in their own process, the quickest and those that killed before first. One whose line
runs when its module is imported is tried in a process of its own.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings

from tests.mutants.forks import Say, said_by_fork
from tests.mutants.lines import Line, ran, rows
from tests.mutants.swapping import is_swappable, swap

#: Seconds that a test may take: these, and so many times what it took without a mutant.
PATIENCE = 20.0
TIMES = 10.0
#: Seconds that a test may take while its lines are noted.
TRACING = 3600.0
#: Seconds until a process has collected its tests.
START = 60.0


#: The lines that ran until all tests were collected.
IMPORTED: pytest.StashKey[set[Line]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mutants")
    group.addoption(
        "--mutants", help="a file of mutants to try; what becomes of them is added to the same name with .tried"
    )
    group.addoption("--serving-home", help="the home of a PostgreSQL that serves already")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    with _noting_imports(early_config):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    with _noting_imports(session.config):
        return (yield)


@contextmanager
def _noting_imports(config: pytest.Config) -> Iterator[None]:
    if not (name := config.known_args_namespace.mutants):
        yield
        return
    modules = {one["module"] for one in json.loads(Path(name).read_text(encoding="utf-8"))}
    with ran(frozenset(str(config.rootpath / module) for module in modules)) as lines:
        yield
    config.stash[IMPORTED] = config.stash.get(IMPORTED, set()) | lines


def pytest_configure(config: pytest.Config) -> None:
    # After a failure Hypothesis looks for a simpler one, for minutes: nobody would read it.
    quick = [phase for phase in Phase if phase not in {Phase.shrink, Phase.explain}]
    settings.register_profile("mutants", settings(), phases=quick)
    settings.load_profile("mutants")
    if folder := config.getoption("--serving-home"):
        # Django's settings are not chosen yet when plugins are imported.
        from newsdesk.core.home import Home
        from tests import cluster

        config.stash[cluster.SERVING] = Home(Path(folder))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> object:
    if not (name := session.config.getoption("--mutants")):
        return None
    if session.testsfailed:
        raise session.Interrupted("Some tests cannot be collected.")
    # As above.
    from tests import cluster

    with cluster.running(cluster.migrated(session.config)) as home:
        session.config.stash[cluster.SERVING] = home
        file = Path(name)
        mutants = json.loads(file.read_text(encoding="utf-8"))
        trials = Trials(session, home.path, frozenset(str(session.config.rootpath / one["module"]) for one in mutants))
        with file.with_suffix(".tried").open("a", encoding="utf-8") as tried:
            for mutant in mutants:
                tried.write(json.dumps({"job": mutant["job"], **trials.of(mutant)}) + "\n")
                tried.flush()
    return True


class Trials:
    """What the tests do without a mutant, and with one."""

    def __init__(self, session: pytest.Session, home: Path, files: frozenset[str]) -> None:
        self._session = session
        self._home = home
        self._imported = session.config.stash[IMPORTED]
        self._kills: Counter[str] = Counter()
        self._seconds: dict[str, float] = {}
        self._lines: dict[str, set[Line]] = {}
        self._trace(files)

    def of(self, mutant: dict[str, Any]) -> dict[str, Any]:
        """`outcome`: killed, timeout or survived; `by`: the test; `tests`: how many could have noticed; `seconds`: what it took."""
        started = time.perf_counter()
        path = self._session.config.rootpath / mutant["module"]
        before, after = path.read_text(encoding="utf-8"), mutant["text"]
        span = rows(before, mutant["row"])
        swappable = is_swappable(before, after) and not any((str(path), row) in self._imported for row in span)
        items = self._noticing(str(path), span if swappable else None)
        with _written(path, after):
            outcome, by = self._warm(items, path, before, after) if swappable else ("unknown", "")
            if outcome == "unknown":
                outcome, by = self._cold(items)
        self._kills[by] += 1
        return {"outcome": outcome, "by": by, "tests": len(items), "seconds": round(time.perf_counter() - started, 1)}

    def _trace(self, files: frozenset[str]) -> None:
        def run(say: Say) -> None:
            for item, following in self._pairs(self._session.items):
                started = time.perf_counter()
                with ran(files) as lines:
                    failed = _fails(item, following)
                say(item.nodeid, failed, time.perf_counter() - started, sorted(lines))

        for nodeid, failed, seconds, lines in said_by_fork(run, TRACING, lambda _: TRACING):
            if failed:
                sys.__stderr__.write(f"\nLeft out, since it fails without any mutant: {nodeid}\n")
                continue
            self._seconds[nodeid] = seconds
            self._lines[nodeid] = {(file, row) for file, row in lines}
        self._items = [item for item in self._session.items if item.nodeid in self._lines]

    def _noticing(self, file: str, span: range | None) -> list[pytest.Item]:
        """The tests that run one of these rows, the quickest first; for None all, those first that run anything of the file."""

        def runs_it(item: pytest.Item) -> bool:
            lines = self._lines[item.nodeid]
            return any((file, row) in lines for row in span) if span else any(name == file for name, _ in lines)

        def cost(item: pytest.Item) -> float:
            return self._seconds[item.nodeid] / (1 + self._kills[item.nodeid])

        near = sorted(filter(runs_it, self._items), key=cost)
        return near if span else [*near, *sorted((one for one in self._items if one not in near), key=cost)]

    def _warm(self, items: list[pytest.Item], path: Path, before: str, after: str) -> tuple[str, str]:
        """The outcome and the test; the outcome is unknown where the mutant did not get into this process."""

        def run(say: Say) -> None:
            say("", swap(path, before, after))
            for item, following in self._pairs(items):
                say(item.nodeid, False)
                if _fails(item, following):
                    say(item.nodeid, True)
                    self._session._setupstate.teardown_exact(None)
                    return

        name = items[0].nodeid if items else ""
        swapped = killed = False
        try:
            # To its end: after a failure it still tears down.
            for said in said_by_fork(run, START, self._patience):
                if said[0]:
                    name, killed = said
                else:
                    swapped = said[1]
        except TimeoutError:
            return ("killed" if killed else "timeout"), name
        if killed:
            return "killed", name
        return "survived" if swapped else "unknown", ""

    def _cold(self, items: list[pytest.Item]) -> tuple[str, str]:
        if not items:
            return "survived", ""
        names = [item.nodeid for item in items]
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", __name__, "--serving-home", str(self._home)]
        cache = self._session.config.cache
        command += ["-o", f"cache_dir={cache._cachedir}"] if cache else []
        limit = START + sum(map(self._patience, names))
        with subprocess.Popen(
            [*command, *names], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        ) as process:
            try:
                said, _ = process.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return "timeout", ""
        if process.returncode == pytest.ExitCode.OK:
            return "survived", ""
        ended = tuple(line for line in said.splitlines() if line.startswith(("FAILED ", "ERROR ")))
        named = [name for name in names for line in ended if f"{line} ".partition(" ")[2].startswith(f"{name} ")]
        return "killed", named[0] if named else said[-500:]

    def _patience(self, nodeid: str) -> float:
        return PATIENCE + TIMES * self._seconds.get(nodeid, 0.0)

    @staticmethod
    def _pairs(items: list[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
        return zip(items, [*items, None][1:], strict=True)


def _fails(item: pytest.Item, following: pytest.Item | None) -> bool:
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


@contextmanager
def _written(path: Path, text: str) -> Iterator[None]:
    """For the processes that tests start, and for the second try; each with a time of its own, by which Python knows it."""
    before, stat = path.read_text(encoding="utf-8"), path.stat()
    path.write_text(text, encoding="utf-8")
    _written_at[0] += 2
    os.utime(path, (_written_at[0], _written_at[0]))
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


_written_at = [int(time.time()) + 100]
