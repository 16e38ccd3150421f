"""A part of a running Newsdesk stands still, or its disk is full: readers and SendGrid are answered, and nothing is lost."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from newsdesk.core.disk_space import LEAST_TO_SEND
from newsdesk.core.home import Home
from sandbox.signing import SigningKey
from tests.machine import Desk, Up, children, environment, running_desk
from tests.small_disk import fill
from tests.waiting import LONG, eventually

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc for the processes"),
]

READERS = 100
#: Of the disk. A database of its own with what it keeps for a restart has some 100.
MEGABYTES = 400
#: Seconds within which everybody is answered whatever stands still: 6 for the database, and what a busy machine adds.
BOUNDED = 30.0
_TOKENS = f"""
import django
django.setup()
from subscribers import reader_links
from subscribers.tokens import LinkKind
from tasks.database import high_water
for pk in range(1, {READERS} + 1):
    print(reader_links.signer(high_water.installation()).sign(LinkKind.UNSUBSCRIBE, 1, 0, pk))
"""


@dataclass(frozen=True)
class Call:
    path: str
    body: bytes
    headers: Mapping[str, str]
    #: What is kept of it.
    about: str


class Outside:
    """Readers and SendGrid, who call again until they are heard."""

    def __init__(self, up: Up) -> None:
        self.up = up
        self._key = SigningKey.kept_in(up.home.sandbox)
        done = subprocess.run(
            [sys.executable, "-c", _TOKENS], env=_settings(up.home), stdout=subprocess.PIPE, text=True, check=True
        )
        self._tokens = enumerate(done.stdout.split(), start=1)
        self._events = 0
        #: What was answered with 200 or 204.
        self.heard: set[str] = set()

    def calls(self, each: int) -> list[Call]:
        """So many unsubscribes and so many events."""
        return [*(self._unsubscribe() for _ in range(each)), *(self.event() for _ in range(each))]

    def post(self, calls: list[Call]) -> tuple[list[int], float]:
        """All at once: the statuses, and the seconds until the last had its answer."""
        answers: list[int] = []
        began = time.monotonic()
        threads = [threading.Thread(target=lambda call=call: answers.append(self._post(call))) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers, time.monotonic() - began

    def until_heard(self, calls: list[Call]) -> None:
        assert eventually(lambda: set(self.post(calls)[0]) <= {200, 204}, interval=1.0)

    def lost(self) -> set[str]:
        """What was taken and is not there."""
        with _database(self.up.home) as database:
            gone = database.execute("SELECT subscriber_id FROM subscribers_subscription WHERE status = 'unsubscribed'")
            kept = {f"reader {pk}" for (pk,) in gone}
            for (body,) in database.execute("SELECT body FROM tasks_receipt"):
                kept |= {event["email"] for event in json.loads(bytes(body))}
        return self.heard - kept

    def all_is_applied(self) -> bool:
        with _database(self.up.home) as database:
            return not database.execute("SELECT 1 FROM tasks_receipt WHERE applied_at IS NULL").fetchall()

    def _unsubscribe(self) -> Call:
        pk, token = next(self._tokens)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return Call(f"/u/{token}", b"List-Unsubscribe=One-Click", form, f"reader {pk}")

    def event(self, *, size: int = 0) -> Call:
        """One event, in a body of at least so many bytes."""
        self._events += 1
        address, moment = f"event{self._events}@example.com", int(time.time())
        report = {"email": address, "timestamp": moment, "event": "processed", "more": os.urandom(size // 2).hex()}
        body = json.dumps([report]).encode()
        headers = {**self._key.headers(body, timestamp=moment), "Content-Type": "application/json"}
        return Call("/webhooks/sendgrid", body, headers, address)

    def _post(self, call: Call) -> int:
        request = urllib.request.Request(self.up.url + call.path, data=call.body, headers=dict(call.headers))
        try:
            with urllib.request.urlopen(request, timeout=LONG) as answer:
                answer.read()
                self.heard.add(call.about)
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                # Without it nobody need come again.
                return error.code if error.code != 503 or error.headers["Retry-After"] else 500


def _settings(home: Home) -> dict[str, str]:
    return {**environment(home), "DJANGO_SETTINGS_MODULE": "newsdesk.settings"}


@contextmanager
def _database(home: Home) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    parts = home.database()
    with psycopg.connect(
        host=parts["HOST"], port=parts["PORT"], user=parts["USER"], dbname=parts["NAME"], autocommit=True
    ) as database:
        yield database


@contextmanager
def frozen(up: Up, mark: str) -> Iterator[None]:
    main = up.child(mark)
    pids = [main, *children(main)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            # A server that nobody asks any more may have been killed meanwhile.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def health(up: Up) -> dict[str, str]:
    try:
        with urllib.request.urlopen(f"{up.url}/healthz", timeout=LONG) as answer:
            return dict(json.loads(answer.read()))
    except urllib.error.HTTPError as error:
        with error:
            return dict(json.loads(error.read()))


@pytest.fixture(scope="module")
def desk(migrated_cluster: Path) -> Iterator[Desk]:
    with running_desk(READERS, migrated_cluster, megabytes=MEGABYTES) as one:
        yield one


@pytest.fixture(scope="module")
def outside(desk: Desk) -> Outside:
    return Outside(desk.up)


@pytest.mark.parametrize(("part", "mark"), [("broker", "valkey-server"), ("worker", "tasks.celery worker")])
def test_a_frozen_broker_or_worker_is_noticed_by_nobody_outside(
    desk: Desk, outside: Outside, part: str, mark: str
) -> None:
    assert eventually(desk.up.healthy)
    with frozen(desk.up, mark):
        calls = outside.calls(10)
        answers, seconds = outside.post(calls)
        # 503 is for the database alone, which a busy machine may not bring to its answer in time.
        assert set(answers) <= {200, 204, 503}
        assert seconds < BOUNDED
        outside.until_heard(calls)
        assert eventually(lambda: health(desk.up)[part] == "no answer")
    assert eventually(desk.up.healthy)
    assert eventually(outside.all_is_applied)
    assert outside.lost() == set()


def test_a_frozen_database_is_503_in_bounded_time_and_nothing_is_lost(desk: Desk, outside: Outside) -> None:
    assert eventually(desk.up.healthy)
    calls = outside.calls(20)
    with frozen(desk.up, "bin/postgres"):
        answers, seconds = outside.post(calls)
        assert set(answers) == {503}
        assert seconds < BOUNDED
        assert eventually(lambda: health(desk.up)["database"] == "no answer")
        # By now nobody waits for it any more.
        assert set(outside.post(calls)[0]) == {503}
    outside.until_heard(calls)
    assert eventually(desk.up.healthy)
    assert eventually(outside.all_is_applied)
    assert outside.lost() == set()


def test_a_full_disk_loses_nothing_and_all_goes_on_by_itself(desk: Desk, outside: Outside) -> None:
    path = desk.up.home.path
    if not path.is_mount():
        pytest.skip("only root may mount a small disk")
    assert eventually(desk.up.healthy)
    edition = desk.compose()
    # Room to write down that there is an alarm and a send, but less than 2 %.
    almost_full = fill(path, leave=int(0.015 * MEGABYTES * 1024**2))
    assert eventually(lambda: alarm_stands(desk))
    assert 0 < percent_free(desk.up) < LEAST_TO_SEND
    send = int(desk("send", str(edition), "--list", "readers")["send"])
    assert "nothing is sent until there is room" in desk("status", str(send))["held"]

    full = fill(path, name="the-rest")
    for _ in range(3):
        answers, seconds = outside.post(outside.calls(10))
        assert set(answers) <= {200, 204, 503}
        assert seconds < BOUNDED
    # What is there already has room for a little more, but not for this.
    large = [outside.event(size=2_000_000)]
    assert outside.post(large)[0] == [503]
    assert percent_free(desk.up) < 0.5
    assert desk.sandbox(f"/sandbox/ledger?category=edition-{edition}")["accepted"] == 0

    full.unlink()
    almost_full.unlink()
    outside.until_heard([*outside.calls(5), *large])
    assert eventually(desk.up.healthy)
    assert health(desk.up)["disk"] == "ok"
    assert eventually(outside.all_is_applied)
    assert outside.lost() == set()
    told = desk.wait_until_sent(send)
    desk.assert_each_reader_got_it_once(edition, told)
    assert eventually(lambda: not alarm_stands(desk))
    # Its reader goes on: of what is killed gunicorn writes a line.
    before = len(web_log(desk))
    os.kill(children(desk.up.child("gunicorn"))[0], signal.SIGKILL)
    assert eventually(lambda: b"SIGKILL" in web_log(desk)[before:])


def percent_free(up: Up) -> float:
    """What /healthz says of a disk that is nearly full; engines and logs write on it all the time."""
    words = health(up)["disk"]
    assert words.endswith(" % free"), words
    return float(words.removesuffix(" % free"))


def alarm_stands(desk: Desk) -> bool:
    with _database(desk.up.home) as database:
        return bool(
            database.execute("SELECT 1 FROM tasks_alarm WHERE code = 'disk_space' AND cleared_at IS NULL").fetchall()
        )


def web_log(desk: Desk) -> bytes:
    path = desk.up.home.logs / "web.log"
    return path.read_bytes() if path.exists() else b""
