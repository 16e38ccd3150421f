"""A running Newsdesk that runs of chaos share: its processes, its database, its SendGrid, and a hand at its desk."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg

from newsdesk.core import paths
from newsdesk.core.child_process import spawn
from newsdesk.core.home import Home
from tests.chaos.plans import GRACE
from tests.machine import UNTIL_UP, Up, command, environment, give_cluster
from tests.waiting import eventually

PUBLICATION = "weekly"
DIGEST = "technology-week.txt"
#: (list, first reader, one beyond the last, in the segments). "east" and "west" share 600 readers.
LISTS = (("east", 0, 1200, True), ("west", 600, 1800, True), ("crowd", 10_000, 13_500, False))
#: Stories for a segment each make 16 variants, so that 1200 readers are 16 batches.
SEGMENTS = ("north", "south", "old", "young")
#: Seconds that anything may be away for.
PATIENCE = 120.0


class House:
    """Starts in a new home; `close` ends it.

    `connections`: requests in flight in each worker process. `cluster`: a migrated one to start from, for speed.
    """

    def __init__(self, *, connections: int, cluster: Path | None = None) -> None:
        path = Path(tempfile.mkdtemp(prefix="newsdesk-tests-"))
        path.chmod(0o711)
        self.home = Home(path)
        if cluster is not None:
            give_cluster(self.home, cluster)
        self.connections = connections
        self._database: psycopg.Connection[Any] | None = None
        self._hand: subprocess.Popen[str] | None = None
        self.up = self._start()
        try:
            self._furnish()
        except BaseException:
            self.close(keep=True)
            raise

    def _environment(self) -> dict[str, str]:
        chosen = {"NEWSDESK_SILENCE_GRACE": str(GRACE), "NEWSDESK_CONNECTIONS": str(self.connections)}
        return {**environment(self.home), **chosen}

    def _start(self) -> Up:
        # Into a file: nobody reads a pipe for hours. On a leash: it ends with these tests, however they end.
        with (self.home.path / "up.log").open("ab") as log:
            process = spawn(
                [sys.executable, "-m", "newsdesk", "up"],
                death_signal=signal.SIGTERM,
                env=self._environment(),
                output=log,
            ).process
        up = Up(process, self.home)
        if not eventually(lambda: (self.home.run_state() and up.healthy()) or process.poll() is not None, UNTIL_UP):
            process.kill()
        if process.poll() is not None:
            raise RuntimeError(f"it does not come up: see {self.home.path}/up.log")
        return up

    def _furnish(self) -> None:
        files = {}
        for name, first, beyond, known in LISTS:
            file = self.home.path / f"{name}.csv"
            lines = (_reader(number, known=known) for number in range(first, beyond))
            file.write_text(f"email,name,{','.join(SEGMENTS)}\n" + "".join(lines), encoding="utf-8")
            files[name] = str(file)
        self.do("furnish", publication=PUBLICATION, lists=files, segments=list(SEGMENTS))

    def compose(self) -> int:
        digest = str(paths.samples_dir() / DIGEST)
        made = self.do("compose", publication=PUBLICATION, digest=digest, audiences=list(SEGMENTS))
        return int(made["edition"])

    def do(self, order: str, **given: Any) -> Any:
        """Have the hand do something; it waits for the database by itself."""
        if self._hand is None or self._hand.poll() is not None:
            self._hand = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.hand"],
                env={**self._environment(), "DJANGO_SETTINGS_MODULE": "newsdesk.settings"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        assert self._hand.stdin is not None
        assert self._hand.stdout is not None
        self._hand.stdin.write(json.dumps({"do": order, **given}) + "\n")
        self._hand.stdin.flush()
        answer = json.loads(self._hand.stdout.readline() or '{"problem": "the hand is gone"}')
        if "problem" in answer:
            raise RuntimeError(f"{order}: {answer['problem']}")
        return answer["done"]

    def rows(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """A query over new connections until one answers: only for what may be repeated."""
        return self.with_database(lambda database: database.execute(sql.encode(), values).fetchall())

    def with_database(self, work: Callable[["psycopg.Connection[Any]"], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                if self._database is None:
                    parts = self.home.database()
                    self._database = psycopg.connect(
                        host=parts["HOST"],
                        port=parts["PORT"],
                        user=parts["USER"],
                        dbname=parts["NAME"],
                        connect_timeout=5,
                        autocommit=True,
                    )
                return work(self._database)
            except psycopg.OperationalError:
                if self._database is not None:
                    self._database.close()
                self._database = None
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def sandbox(self, path: str, body: object = None, method: str | None = None) -> Any:
        """Ask the local SendGrid; again while it is away."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.home.sandbox_api_key()}"}
        url = f"{self.home.sandbox_url()}{path}"
        deadline = time.monotonic() + PATIENCE
        while True:
            request = urllib.request.Request(url, data=data, method=method, headers=headers)
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    return json.loads(answer.read() or b"null")
            except urllib.error.HTTPError:
                raise
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def kill_everything(self) -> None:
        """As a machine that loses its power, but for what the kernel has in its buffers; then start again."""
        self._kill()
        self.up = self._start()
        # It may have found its ports taken: the hand has to learn where things are now.
        self._end_hand()

    def _kill(self) -> None:
        everyone = self.up.everyone()
        self.up.process.kill()
        self.up.process.wait()
        if not eventually(lambda: not any(map(command, everyone))):
            raise RuntimeError(f"they outlive it: {[command(pid) for pid in everyone if command(pid)]}")

    def _end_hand(self) -> None:
        hand, self._hand = self._hand, None
        if hand is not None:
            hand.kill()
            hand.wait()
            for pipe in (hand.stdin, hand.stdout):
                assert pipe is not None
                pipe.close()

    def close(self, *, keep: bool = False) -> None:
        """End everything; `keep` leaves the home as it is."""
        self._end_hand()
        if self._database is not None:
            self._database.close()
        # Without ceremony: what is left of it is read at most by a person.
        self._kill()
        shutil.rmtree(self.home.sockets, ignore_errors=True)
        if not keep:
            shutil.rmtree(self.home.path, ignore_errors=True)


def _reader(number: int, *, known: bool) -> str:
    """One row: in the segments by the bits of their number, so that every variant has as many readers."""
    cells = ["yes" if known and number >> bit & 1 else "no" for bit in range(len(SEGMENTS))]
    return f"reader{number}@example.com,Reader {number},{','.join(cells)}\n"
