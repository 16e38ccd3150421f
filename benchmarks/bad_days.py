"""Readers leave and SendGrid reports while database, broker and worker are stopped, killed and frozen in turn.

    python benchmarks/bad_days.py [--clients 200] [--seconds 60] [--pause 2]

Half of the clients unsubscribe readers by one click, the other half post signed events, each over a connection of its own, with a pause of
`--pause` seconds on average between two requests; whoever is not answered with 200 or 204 comes again with the same, as mail providers and SendGrid
do. Two more ask /healthz all the time. The time is divided into a quiet part and one for each misfortune, which lasts for its first
half: SIGTERM and SIGKILL for the main process (it is started again), SIGSTOP for it and all its children, until SIGCONT.

At the end everything is left alone until it is applied, and counted: it fails if an unsubscribe that was answered with 200 or an event that was answered
with 204 is missing, or an answer was a 500.
"""

import argparse
import http.client
import json
import os
import platform
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.support import homes, processes
from benchmarks.support import up as ups

#: What a part's main process has in its command line.
MARKS = {"database": "bin/postgres", "broker": "valkey-server", "worker": "tasks.celery worker"}
WAYS = {"stopped": signal.SIGTERM, "killed": signal.SIGKILL, "frozen": signal.SIGSTOP}
#: Seconds; a client that waits longer is one that was let down.
PATIENCE = 30.0
#: Seconds without any progress after which it is given up.
STANDSTILL = 120.0
_TOKENS = """
import django
django.setup()
from subscribers import reader_links
from subscribers.models import Subscriber
from subscribers.tokens import LinkKind
from tasks.database import high_water
from composer.models import Publication
publication = Publication.objects.get().pk
for pk in Subscriber.objects.order_by("pk").values_list("pk", flat=True):
    print(pk, reader_links.signer(high_water.installation()).sign(LinkKind.UNSUBSCRIBE, publication, 0, pk))
"""


@dataclass
class Tally:
    """What was answered, by part of the time and path."""

    phase: str = "nothing"
    answers: dict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    seconds: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    #: Readers and events that were told they are taken.
    left: set[int] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, phase: str, path: str, answer: str, seconds: float) -> None:
        with self._lock:
            self.answers[phase, path][answer] += 1
            self.seconds[phase, path].append(seconds)


class Clients:
    """Threads that ask until they are told to stop."""

    def __init__(self, up: ups.Up, tally: Tally, *, pause: float) -> None:
        from sandbox.signing import SigningKey

        parts = urlsplit(up.home.base_url())
        assert parts.hostname is not None
        self.host, self.port = parts.hostname, int(parts.port or 80)
        self.tally, self.pause = tally, pause
        self.key = SigningKey.kept_in(up.home.sandbox)
        self.over = threading.Event()
        self.threads: list[threading.Thread] = []
        done = subprocess.run(
            [sys.executable, "-c", _TOKENS], env=dict(up.environment), stdout=subprocess.PIPE, text=True, check=True
        )
        pairs = [line.split() for line in done.stdout.splitlines()]
        self.readers: Iterator[tuple[int, str]] = iter([(int(pk), token) for pk, token in pairs])
        self._next = threading.Lock()

    def start(self, number: int) -> None:
        for at in range(number):
            self._spawn(self._unsubscribe if at % 2 else self._report, str(at))
        for at in range(2):
            self._spawn(self._ask_health, str(at))

    def stop(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(2 * PATIENCE)

    def _spawn(self, what: object, name: str) -> None:
        thread = threading.Thread(target=what, args=(name,), daemon=True)  # type: ignore[arg-type]
        thread.start()
        self.threads.append(thread)

    def _unsubscribe(self, _name: str) -> None:
        while not self.over.is_set():
            with self._next:
                reader, token = next(self.readers, (0, ""))
            if not reader:
                return
            while not self.over.is_set():
                form = {"Content-Type": "application/x-www-form-urlencoded"}
                if self._post("/u/", f"/u/{token}", b"List-Unsubscribe=One-Click", form) == "200":
                    self.tally.left.add(reader)
                    break

    def _report(self, name: str) -> None:
        number = 0
        while not self.over.is_set():
            number += 1
            address = f"client{name}-{number}@example.com"
            moment = int(time.time())
            body = json.dumps([{"email": address, "timestamp": moment, "event": "processed"}]).encode()
            headers = {**self.key.headers(body, timestamp=moment), "Content-Type": "application/json"}
            while not self.over.is_set():
                if self._post("/webhooks/", "/webhooks/sendgrid", body, headers) == "204":
                    self.tally.taken.add(address)
                    break

    def _ask_health(self, _name: str) -> None:
        while not self.over.wait(0.1):
            self._ask("GET", "/healthz", "/healthz", None, {})

    def _post(self, kind: str, path: str, body: bytes, headers: dict[str, str]) -> str:
        self.over.wait(random.uniform(0, 2 * self.pause))
        return self._ask("POST", kind, path, body, headers)

    def _ask(self, method: str, kind: str, path: str, body: bytes | None, headers: dict[str, str]) -> str:
        phase, began = self.tally.phase, time.monotonic()
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            response.read()
            answer = str(response.status)
        except (OSError, http.client.HTTPException) as error:
            answer = type(error).__name__
        finally:
            connection.close()
        self.tally.note(phase, kind, answer, time.monotonic() - began)
        return answer


def strike(up: ups.Up, part: str, way: str, seconds: float) -> None:
    """Let the misfortune happen; it is over after so many seconds."""
    main = next(
        (pid for pid in processes.descendants(up.pid) if MARKS[part] in processes.command(pid)),
        0,
    )
    whole = [main, *processes.descendants(main)] if way == "frozen" and main else [main]
    _signal(whole, WAYS[way])
    time.sleep(seconds)
    if way == "frozen":
        _signal(whole, signal.SIGCONT)


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        try:
            if pid:
                os.kill(pid, number)
        except ProcessLookupError:
            continue  # it has just ended by itself


def until_applied(up: ups.Up) -> None:
    """Wait until no receipt waits. Raises TimeoutError once nothing has moved for STANDSTILL seconds."""
    with homes.connect(up.home) as database:
        last, since = -1, time.monotonic()
        while True:
            ((waiting,),) = database.execute("SELECT count(*) FROM tasks_receipt WHERE applied_at IS NULL").fetchall()
            if not waiting:
                return
            if waiting != last:
                last, since = waiting, time.monotonic()
            if time.monotonic() - since > STANDSTILL:
                raise TimeoutError(f"{waiting} receipts are not applied")
            time.sleep(0.5)


def lost(up: ups.Up, tally: Tally) -> tuple[int, int]:
    """Unsubscribes and events that were taken and are not there, once all is left alone and applied."""
    until_applied(up)
    with homes.connect(up.home) as database:
        gone = {
            pk
            for (pk,) in database.execute(
                "SELECT subscriber_id FROM subscribers_subscription GROUP BY 1 HAVING bool_and(status = 'unsubscribed')"
            )
        }
        stored = {
            event["email"]
            for (body,) in database.execute("SELECT body FROM tasks_receipt")
            for event in json.loads(bytes(body))
        }
    return len(tally.left - gone), len(tally.taken - stored)


def report(tally: Tally) -> None:
    print("| misfortune | path | answers | p50 s | p99 s | longest s |\n|---|---|---|---|---|---|")
    for (phase, path), answers in tally.answers.items():
        times = sorted(tally.seconds[phase, path])
        told = ", ".join(f"{number} × {answer}" for answer, number in sorted(answers.items()))
        middle, almost = times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.99))]
        print(f"| {phase} | `{path}` | {told} | {middle:.2f} | {almost:.2f} | {times[-1]:.2f} |")


def run(up: ups.Up, *, clients: int, seconds: float, pause: float) -> Tally:
    tally = Tally()
    crowd = Clients(up, tally, pause=pause)
    misfortunes = [(part, way) for part in MARKS for way in WAYS]
    share = seconds / (len(misfortunes) + 1)
    crowd.start(clients)
    time.sleep(share)
    for part, way in misfortunes:
        tally.phase = f"{part} {way}"
        strike(up, part, way, share / 2)
        time.sleep(share / 2)
    crowd.stop()
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--pause", type=float, default=2.0)
    given = parser.parse_args()
    with ups.running() as up:
        ups.publish(up, int(given.clients * given.seconds / max(given.pause, 0.1)) + given.clients)
        tally = run(up, clients=given.clients, seconds=given.seconds, pause=given.pause)
        report(tally)
        readers, events = lost(up, tally)
    broken = sum(number for answers in tally.answers.values() for answer, number in answers.items() if answer == "500")
    print(
        f"{len(tally.left)} unsubscribes and {len(tally.taken)} events were taken: {readers} and {events} are lost, "
        f"{broken} answers are 500"
    )
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()}, load {os.getloadavg()[0]:.1f}"
    )
    if (readers, events, broken) != (0, 0, 0):
        sys.exit("Something was lost.")


if __name__ == "__main__":
    main()
