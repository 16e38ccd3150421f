"""The whole of Newsdesk in one home, as `newsdesk up` runs it, with a local SendGrid told what the benchmark needs.

`python -m benchmarks.support.up [SANDBOX OPTION…]` runs it until its standard input ends. `running` starts it, and gives what an
operator has: commands, the local SendGrid's own account of things, and the processes to look at.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.support import homes, processes

if TYPE_CHECKING:
    from newsdesk.core.home import Home

#: The local SendGrid at its fastest: what it accepts is kept in its ledger only.
FAST = ("--outbox", "0", "--event-delay", "0")
#: Seconds, in failure only: a new home is migrated first, and the machine may be busy.
_PATIENCE = 900.0
_HEALTHY = "everything answers"
_ADDRESS = "1 Main Street, Singapore 018956"


@dataclass(frozen=True, kw_only=True)
class Up:
    pid: int
    home: "Home"
    environment: Mapping[str, str]

    def newsdesk(self, *words: str) -> dict[str, Any]:
        """A command of `newsdesk`, as its JSON."""
        printed = subprocess.run(
            [sys.executable, "-m", "newsdesk", *words, "--json"],
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
        answer = json.loads(printed)
        assert isinstance(answer, dict)
        return answer

    def sandbox(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.home.sandbox_url()}{path}", timeout=120) as answer:
            status = json.loads(answer.read())
        assert isinstance(status, dict)
        return status

    def memory(self) -> dict[str, float]:
        """Peak megabytes of each kind of process; of several of one kind the largest."""
        seconds: dict[str, float] = {}
        for pid in processes.descendants(self.pid):
            # What has just ended has no memory to tell of.
            if most := processes.peak(pid):
                kind = _kind(pid)
                seconds[kind] = max(seconds.get(kind, 0.0), most / 1024)
        return {kind: seconds[kind] for kind in sorted(seconds)}


def _kind(pid: int) -> str:
    """The name of a process in a table; those of several processes tell the main one from its children."""
    name = processes.kind(pid)
    if name not in {"worker", "web"}:
        return name
    return f"{name}, main" if processes.children(pid) else f"{name}, child"


@contextmanager
def running(*, sandbox: tuple[str, ...] = FAST, **settings: str) -> Iterator[Up]:
    """A new home with everything in it up and healthy, and gone afterwards."""
    from newsdesk.core.home import Home

    with homes.temporary() as path:
        home, environment = Home(path), homes.environment(path, **settings)
        command = [sys.executable, "-m", "benchmarks.support.up", *sandbox]
        log = path / "up.log"
        with (
            log.open("wb") as output,
            subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=output, stderr=output) as process,
        ):
            try:
                until(lambda: _is_healthy(process, log), seconds=_PATIENCE)
                yield Up(pid=process.pid, home=home, environment=environment)
            finally:
                assert process.stdin is not None
                process.stdin.close()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    # Its engines and programs are tied to it.
                    process.kill()


def publish(up: Up, readers: int) -> int:
    """A publication "weekly" with a list of so many readers, and an approved edition of a sample digest; the edition's id."""
    from newsdesk.core import paths

    up.newsdesk(
        "new-publication",
        "weekly",
        "--title",
        "The Weekly",
        "--from",
        "The Weekly <news@example.com>",
        "--address",
        _ADDRESS,
    )
    file = up.home.path / "readers.csv"
    write_readers(file, readers)
    report = up.newsdesk("import-subscribers", str(file), "--publication", "weekly", "--list", "readers")
    assert report["created"] == readers, report
    digest = paths.samples_dir() / "technology-week.txt"
    return int(up.newsdesk("compose", "--publication", "weekly", "--digest", str(digest))["edition"])


def write_readers(path: Path, number: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("email,name,country\n")
        file.writelines(f"reader{at}@example.com,Siân Reader {at},SG\n" for at in range(number))


def until(condition: Callable[[], bool], *, seconds: float, every: float = 0.2) -> None:
    """Wait until it holds. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s")
        time.sleep(every)


def until_all_is_back(up: Up, send: int, *, patience: float = 300.0) -> dict[str, Any]:
    """Wait until the send is sent, each of its events was posted to the web, and every receipt is applied; its status.

    Raises TimeoutError once nothing has moved for `patience` seconds, and AssertionError when the send is paused.
    """
    with homes.connect(up.home) as database:
        last, since = (), time.monotonic()
        while True:
            row = database.execute(
                "SELECT s.status, (SELECT count(*) FROM tasks_batch WHERE send_id = s.id AND status = 'submitted'),"
                " (SELECT COALESCE(max(id), 0) FROM tasks_receipt),"
                " (SELECT count(*) FROM tasks_receipt WHERE applied_at IS NULL) FROM tasks_send s WHERE id = %s",
                [send],
            ).fetchone()
            assert row is not None
            assert row[0] != "paused", up.newsdesk("status", str(send))
            events = up.sandbox("/sandbox/events")
            if row[0] == "sent" and events["quiet"] and not row[3]:
                return up.newsdesk("status", str(send))
            now = (*row, events["posted"])
            if now != last:
                last, since = now, time.monotonic()
            if time.monotonic() - since > patience:
                raise TimeoutError(f"send {send} stands still: {now}, {events}")
            time.sleep(0.5)


def _is_healthy(process: "subprocess.Popen[bytes]", log: Path) -> bool:
    text = log.read_text(encoding="utf-8", errors="replace")
    assert process.poll() is None, text
    return _HEALTHY in text


def main() -> None:
    import django

    django.setup()
    from django.conf import settings

    from newsdesk.local_stack.stack import LocalStack

    with LocalStack(settings.HOME, quiet=True, sandbox_options=sys.argv[1:]) as stack:
        stack.wait_until_healthy()
        sys.stdout.write(f"{_HEALTHY}\n")
        sys.stdout.flush()
        os.read(sys.stdin.fileno(), 1)


if __name__ == "__main__":
    main()
