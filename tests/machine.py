"""A Newsdesk of real processes on this machine, for the tests that start one, kill parts of it and send through it."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
import redis

from newsdesk.core import paths
from newsdesk.core.home import Home
from tests.command_line import CommandLine
from tests.small_disk import mount, unmount
from tests.waiting import LONG, eventually

#: Seconds that a start may take, in failure only: in a new home it makes a database and migrates it first.
UNTIL_UP = 900.0
#: Seconds that the largest send may take, in failure only.
UNTIL_SENT = 600.0


def environment(home: Home) -> dict[str, str]:
    ours = {"DATABASE_URL", "REDIS_URL", "BASE_URL", "SENDGRID_API_KEY", "SECRET_KEY", "DJANGO_SETTINGS_MODULE"}
    rest = {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("NEWSDESK_")}
    return {**rest, "NEWSDESK_HOME": str(home.path)}


def newsdesk(home: Home, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "newsdesk", *words],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@dataclass
class Up:
    """A running `newsdesk up`."""

    process: "subprocess.Popen[str]"
    home: Home

    @property
    def url(self) -> str:
        return self.home.base_url()

    def healthy(self) -> bool:
        try:
            return status(f"{self.url}/healthz") == 200
        except OSError:
            return False

    def child(self, mark: str) -> int:
        """The process of the group whose command line holds this mark; 0 when there is none."""
        for pid in children(self.process.pid):
            if mark in command(pid):
                return pid
        return 0

    def everyone(self) -> list[int]:
        family, fresh = [], [self.process.pid]
        while fresh:
            family += fresh
            fresh = [child for pid in fresh for child in children(pid)]
        return family

    def printed_until(self, words: str) -> str:
        """Wait for a line with these words: what was printed up to it."""
        assert self.process.stdout is not None
        printed = ""
        for line in self.process.stdout:
            printed += line
            if words in line:
                break
        return printed

    def end(self, number: int) -> str:
        """Send the signal and wait: what was printed."""
        self.process.send_signal(number)
        output, errors = self.process.communicate(timeout=LONG)
        return output + errors


def children(pid: int) -> list[int]:
    """By any thread: the process manager is one."""
    found: list[int] = []
    # It may end at any moment, and each of its threads.
    with suppress(OSError):
        for task in list(Path(f"/proc/{pid}/task").iterdir()):
            with suppress(OSError):
                found += [int(word) for word in (task / "children").read_text(encoding="ascii").split()]
    return found


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=LONG) as response:
            response.read()
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def start(home: Home, *words: str) -> Up:
    up = Up(newsdesk(home, "up", *words), home)
    if not eventually(lambda: (home.run_state() and up.healthy()) or up.process.poll() is not None, UNTIL_UP):
        up.end(signal.SIGKILL)
    if up.process.poll() is not None:
        pytest.fail(f"it does not come up: {up.process.communicate()}")
    return up


class Desk:
    """What an operator would type against a running `newsdesk up`, and what its local SendGrid knows."""

    def __init__(self, up: Up) -> None:
        self.up = up
        self.commands = CommandLine(environment(up.home))

    def __call__(self, *words: str) -> dict[str, Any]:
        said = self.commands.run(*words, "--json")
        assert said.code == 0, said.errors
        answer = json.loads(said.output)
        assert isinstance(answer, dict)
        return answer

    def close(self) -> None:
        self.commands.close()

    def sandbox(self, path: str, body: object = None, method: str | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.up.home.sandbox_url()}{path}",
            data=data,
            method=method,
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=LONG) as answer:
            return json.loads(answer.read() or b"null")

    def compose(self) -> int:
        digest = paths.samples_dir() / "technology-week.txt"
        return int(self("compose", "--publication", "weekly", "--digest", str(digest))["edition"])

    def batches(self, send: int) -> dict[str, int]:
        """Batches of the send by status, asked of the database itself: a command takes a second to start."""
        rows = self._ask("SELECT status, count(*) FROM tasks_batch WHERE send_id = %s GROUP BY 1", send)
        return dict(rows)

    def delivered(self, send: int) -> int:
        """Readers of the send who have it by the reports, asked of the database itself."""
        ((readers,),) = self._ask("SELECT sum(delivered) FROM tasks_batch WHERE send_id = %s", send)
        return int(readers)

    def _ask(self, question: LiteralString, send: int) -> list[Any]:
        parts = self.up.home.database()
        with psycopg.connect(
            host=parts["HOST"], port=parts["PORT"], user=parts["USER"], dbname=parts["NAME"], autocommit=True
        ) as database:
            return database.execute(question, [send]).fetchall()

    def wait_until_sent(self, send: int) -> dict[str, Any]:
        deadline = time.monotonic() + UNTIL_SENT
        while True:
            told = self("status", str(send))
            outcomes = sum(told[name] for name in ("pending", "submitting", "submitted", "unknown", "failed"))
            assert told["candidates"] == sum(told["excluded"].values()) + outcomes, told
            assert told["status"] != "paused", told
            if told["status"] == "sent":
                return told
            assert time.monotonic() < deadline, told
            time.sleep(0.3)

    def assert_each_reader_got_it_once(self, edition: int, told: dict[str, Any]) -> None:
        ledger = self.sandbox(f"/sandbox/ledger?category=edition-{edition}")
        missing = told["candidates"] - sum(told["excluded"].values()) - told["failed"] - ledger["distinct"]
        assert (ledger["duplicates"], missing) == (0, 0), (ledger, told)


@contextmanager
def new_home(cluster: Path | None = None, *, megabytes: int = 0) -> Iterator[Home]:
    """A home that is gone afterwards.

    `cluster`: a migrated one of PostgreSQL to begin with; making one takes half a minute. `megabytes`: the size of a disk of its own, where one may be
    mounted.
    """
    path = Path(tempfile.mkdtemp(prefix="newsdesk-tests-"))
    path.chmod(0o711)
    home = Home(path)
    is_mounted = bool(megabytes) and mount(path, megabytes=megabytes)
    try:
        if cluster is not None:
            give_cluster(home, cluster)
        yield home
    finally:
        if is_mounted:
            unmount(path)
        shutil.rmtree(path, ignore_errors=True)


def give_cluster(home: Home, cluster: Path) -> None:
    """A copy of the cluster for a home that has none, as the engines' account and with its rights, which shutil does not keep."""
    (home.path / "engines").mkdir()
    subprocess.run(["cp", "-a", cluster, home.path / "engines" / "postgres"], check=True)


@contextmanager
def running_desk(readers: int, cluster: Path, *, megabytes: int = 0) -> Iterator[Desk]:
    """A new home with a publication "weekly", a list "readers", and a segment "some" that holds two of five of them."""
    with new_home(cluster, megabytes=megabytes) as home:
        desk = Desk(start(home))
        try:
            furnish(desk, readers)
            yield desk
        finally:
            desk.close()
            if desk.up.process.poll() is None:
                desk.up.end(signal.SIGTERM)


def furnish(desk: Desk, readers: int) -> None:
    """What `running_desk` has."""
    sender, address = "The Weekly <news@example.com>", "1 Main Street"
    desk("new-publication", "weekly", "--title", "The Weekly", "--from", sender, "--address", address)
    lines = (f"reader{number}@example.com,Reader {number},{number % 5}\n" for number in range(readers))
    file = desk.up.home.path / "readers.csv"
    file.write_text("email,name,fifth\n" + "".join(lines), encoding="utf-8")
    report = desk("import-subscribers", str(file), "--publication", "weekly", "--list", "readers")
    assert (report["rows"], report["created"], report["rejected"]) == (readers, readers, [])
    rule = json.dumps({"field": "attributes.fifth", "op": "in", "value": ["2", "3"]})
    segment = desk("new-segment", "some", "--publication", "weekly", "--rule", rule)
    assert segment == {"segment": "some", "readers": readers // 5 * 2}


def kill_some_worker(up: Up, dice: random.Random) -> None:
    """Kill -9 for the worker's main process or one of its children."""

    def killed() -> bool:
        main = up.child("tasks.celery worker")
        if not main:
            return False
        victims = children(main)
        try:
            os.kill(dice.choice(victims) if victims and dice.random() < 0.5 else main, signal.SIGKILL)
        except ProcessLookupError:
            return False  # it has just ended by itself
        return True

    assert eventually(killed)


def flush_broker(home: Home) -> int:
    """Make the broker forget everything; how many batch fake_queue it held."""
    with redis.Redis(unix_socket_path=str(home.sockets / "valkey.sock")) as client:
        waiting = client.llen("batches")
        client.flushall()
        assert isinstance(waiting, int)
        return waiting
