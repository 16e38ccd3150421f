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
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg

from newsdesk.core import paths
from newsdesk.core.child_process import spawn
from newsdesk.core.home import Home
from newsdesk.local_stack.engines import binaries
from tests.chaos.mail_plans import SLOW_DOMAIN
from tests.chaos.mail_server import MailServer
from tests.chaos.plans import GRACE
from tests.chaos.providers import LocalSendGrid, Provider
from tests.machine import UNTIL_UP, Up, command, environment, give_cluster
from tests.small_disk import mount, unmount
from tests.smtp_server import SmtpSink, running
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

    `connections`: requests in flight in each worker process. `cluster`: a migrated one to start from, for speed. `sends_by`:
    "sendgrid" or "smtp"; `provider` is whoever takes its mails. `megabytes`: the size of a disk of its own, where one may be mounted.
    """

    def __init__(
        self, *, connections: int, cluster: Path | None = None, sends_by: str = "sendgrid", megabytes: int = 0
    ) -> None:
        path = Path(tempfile.mkdtemp(prefix="newsdesk-tests-"))
        path.chmod(0o711)
        self.home = Home(path)
        self.has_its_own_disk = bool(megabytes) and mount(path, megabytes=megabytes)
        if cluster is not None:
            give_cluster(self.home, cluster)
        self.connections = connections
        self.sends_by = sends_by
        self._around = ExitStack()
        self._chosen = {"NEWSDESK_SILENCE_GRACE": str(GRACE), "NEWSDESK_CONNECTIONS": str(connections)}
        self.provider: Provider
        if sends_by == "smtp":
            server = MailServer(self._around.enter_context(running(SmtpSink())))
            server.serve(self)
            self.provider = server
            url = f"smtp://127.0.0.1:{server.sink.port}?starttls=no"
            self._chosen |= {"NEWSDESK_TRANSPORT": "smtp", "SMTP_URL": url, "NEWSDESK_SMTP_SUCCESS_REPORTS": "yes"}
        else:
            self.provider = LocalSendGrid(self)
        self._database: psycopg.Connection[Any] | None = None
        self._hand: subprocess.Popen[str] | None = None
        self.up = self._start()
        try:
            self._furnish()
        except BaseException:
            self.close(keep=True)
            raise

    def _environment(self) -> dict[str, str]:
        return {**environment(self.home), **self._chosen}

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
            slow = self.sends_by == "smtp"
            lines = (_reader(number, known=known, slow=slow) for number in range(first, beyond))
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

    def back_up(self) -> Path:
        """A dump of the database as it is now, while all goes on."""
        dump = self.home.path / "backup.dump"
        parts = self.home.database()
        whence = ("-h", parts["HOST"], "-p", str(parts["PORT"]), "-U", parts["USER"])
        subprocess.run(
            [binaries.postgres("") / "pg_dump", "--format=custom", *whence, "-f", dump, parts["NAME"]], check=True
        )
        return dump

    def restore(self, dump: Path) -> None:
        """Kill everything, put the dump in the place of the database as an operator does, and start again."""
        self._kill()
        words = [sys.executable, "-m", "newsdesk", "restore", str(dump), "--json"]
        said = subprocess.run(words, env=self._environment(), capture_output=True, text=True, check=False)
        if said.returncode:
            raise RuntimeError(f"newsdesk restore: {said.stderr}")
        self.up = self._start()
        self._end_hand()
        # Twenty runs would fill the disk.
        kept_as = json.loads(said.stdout)["kept_as"]
        self.with_database(lambda database: database.execute(f"DROP DATABASE {kept_as}".encode()))

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
        self._around.close()
        shutil.rmtree(self.home.sockets, ignore_errors=True)
        if keep:
            return
        if self.has_its_own_disk:
            unmount(self.home.path)
        shutil.rmtree(self.home.path, ignore_errors=True)


def _reader(number: int, *, known: bool, slow: bool) -> str:
    """One row: in the segments by the bits of their number, so that every variant has as many readers.

    `slow`: every fifth is a reader of a domain that may ask everybody to come later.
    """
    domain = SLOW_DOMAIN if slow and number % 5 == 0 else "example.com"
    cells = ["yes" if known and number >> bit & 1 else "no" for bit in range(len(SEGMENTS))]
    return f"reader{number}@{domain},Reader {number},{','.join(cells)}\n"
