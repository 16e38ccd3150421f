"""A send with everything real, while workers are killed and the broker forgets: nobody twice, nobody missed."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from newsdesk import paths
from newsdesk.home import Home
from tests.acceptance.test_up import Up, children, environment, eventually, start

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc for whom to kill"),
]

READERS = 100_000
#: Readers of the segment that the rougher tests send to.
FIFTH = READERS // 5


class Desk:
    """What an operator would type against a running `newsdesk up`, and what its local SendGrid knows."""

    def __init__(self, up: Up) -> None:
        self.up = up

    def __call__(self, *words: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "newsdesk", *words, "--json"],
            env=environment(self.up.home),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert isinstance(answer, dict)
        return answer

    def sandbox(self, path: str, body: object = None, method: str | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.up.home.sandbox_url()}{path}",
            data=data,
            method=method,
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    def compose(self) -> int:
        digest = paths.samples_dir() / "technology-week.txt"
        return int(self("compose", "--publication", "weekly", "--digest", str(digest))["edition"])

    def wait_until_sent(self, send: int, seconds: float) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
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


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    path = Path(tempfile.mkdtemp(prefix="newsdesk-tests-"))
    path.chmod(0o711)
    up = start(Home(path))
    try:
        desk = Desk(up)
        desk(
            "new-publication", "weekly", "--title", "Weekly", "--from", "W <news@example.com>", "--address", "1 Main St"
        )
        readers = path / "readers.csv"
        lines = (f"reader{number}@example.com,Reader {number},{number % 5}\n" for number in range(READERS))
        readers.write_text("email,name,fifth\n" + "".join(lines), encoding="utf-8")
        report = desk("import-subscribers", str(readers), "--publication", "weekly", "--list", "readers")
        assert (report["rows"], report["created"], report["rejected"]) == (READERS, READERS, [])
        rule = {"field": "attributes.fifth", "op": "eq", "value": "3"}
        segment = desk("new-segment", "fifth", "--publication", "weekly", "--rule", json.dumps(rule))
        assert segment == {"segment": "fifth", "readers": FIFTH}
        yield desk
    finally:
        if up.process.poll() is None:
            up.end(signal.SIGTERM)
        shutil.rmtree(path, ignore_errors=True)


def test_a_hundred_thousand_readers_are_all_accounted_for(desk: Desk) -> None:
    edition = desk.compose()
    send = int(desk("send", str(edition), "--list", "readers")["send"])

    told = desk.wait_until_sent(send, 180)

    assert (told["candidates"], told["submitted"], told["excluded"]) == (READERS, READERS, {})
    desk.assert_each_reader_got_it_once(edition, told)
    assert eventually(lambda: desk("status", str(send))["delivered"] == READERS, 120)


def test_a_worker_killed_ten_times_in_a_send_doubles_and_loses_nobody(desk: Desk) -> None:
    seed = int(os.environ.get("NEWSDESK_TEST_SEED", "0")) or random.randrange(10**6)
    print(f"seed {seed}")
    dice = random.Random(seed)
    edition = desk.compose()
    desk.sandbox("/sandbox/faults", [{"kind": "latency", "seconds": 1.0}])
    send = int(desk("send", str(edition), "--list", "readers", "--segment", "fifth")["send"])
    assert eventually(lambda: desk("status", str(send))["status"] == "sending", 20)
    for _ in range(10):
        time.sleep(dice.uniform(0.05, 2.0))
        main = _worker(desk.up)
        victims = children(main)
        victim = dice.choice(victims) if victims and dice.random() < 0.5 else main
        os.kill(victim, signal.SIGKILL)
    desk.sandbox("/sandbox/faults", method="DELETE")

    told = desk.wait_until_sent(send, 150)

    assert told["unknown"] == 0
    desk.assert_each_reader_got_it_once(edition, told)
    assert told["submitted"] == FIFTH
    assert eventually(lambda: desk("status", str(send))["delivered"] == FIFTH, 30)


def _worker(up: Up) -> int:
    assert eventually(lambda: up.child("tasks.app worker"), 30)
    return up.child("tasks.app worker")


def test_a_flushed_broker_delays_a_send_and_loses_nobody(desk: Desk) -> None:
    edition = desk.compose()
    desk.sandbox("/sandbox/faults", [{"kind": "latency", "seconds": 0.5}])
    send = int(desk("send", str(edition), "--list", "readers", "--segment", "fifth")["send"])
    assert eventually(lambda: 0 < desk("status", str(send))["submitted"] < FIFTH, 20)

    _flush(desk.up.home)
    desk.sandbox("/sandbox/faults", method="DELETE")

    told = desk.wait_until_sent(send, 90)
    assert told["submitted"] == FIFTH
    desk.assert_each_reader_got_it_once(edition, told)


def _flush(home: Home) -> None:
    import redis

    with redis.Redis(unix_socket_path=str(home.sockets / "valkey.sock")) as client:
        waiting: Callable[[], int] = lambda: int(client.llen("batches"))  # type: ignore[arg-type]  # noqa: E731
        assert waiting() > 0
        client.flushall()
        assert waiting() == 0
