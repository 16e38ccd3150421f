"""Events: a whole `newsdesk up` against a bare loop, in the same run.

    python benchmarks/events.py [--events 200000] [--rounds 3] [--checkout OTHER]

Ours is everything that a report goes through: SendGrid's signed POSTs of some 1500 events to the real web, stored,
answered, applied by the real Celery workers. The time runs from the first POST until nothing waits to be applied. The
bare loop is two processes that read the same bodies with orjson and insert them, a body at a time, into a table
shaped like that of the events; nothing else. The target is 60,000 events a second.

What the clock says hangs on what else runs on the machine. So each round also tells the microseconds of the processor that an
event cost, the processes' own and the kernel's for them, by kind of process. `--checkout` measures the code of another checkout in the
same way: old and new are compared by running it with both in turn.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.support import processes

if "--checkout" in sys.argv:
    sys.path.insert(0, sys.argv[sys.argv.index("--checkout") + 1])

from newsdesk.core.home import Home
from sandbox.signing import SigningKey

ROOT = Path(sys.path[0])
TARGET = 60_000
#: SendGrid closes a POST at about 768 KB or after some 30 s, whichever comes first.
EVENTS_IN_A_POST = 1500
#: Connections that SendGrid posts over; nobody says how many there are.
CONNECTIONS = 4
BATCH = 1000
PATIENCE = 300.0

_SHAPED_LIKE_EVENTS = """
CREATE TABLE bare_event (LIKE tasks_event INCLUDING ALL)
"""
_BARE_INSERT = """
INSERT INTO bare_event (key, send_id, subscriber_id, kind, at, url, agent)
SELECT r.key, r.send_id, r.subscriber_id, r.kind, to_timestamp(r.at), '', ''
FROM unnest(%b::bytea[], %b::bigint[], %b::bigint[], %b::text[], %b::bigint[])
    AS r(key, send_id, subscriber_id, kind, at)
ON CONFLICT (key) DO NOTHING
"""


@contextmanager
def newsdesk_up() -> Iterator[tuple[Home, int]]:
    """A new home with everything running in it, and the process that all others descend from."""
    ours = {"DATABASE_URL", "REDIS_URL", "BASE_URL", "SENDGRID_API_KEY", "SECRET_KEY"}
    with tempfile.TemporaryDirectory(prefix="newsdesk-bench-") as folder:
        Path(folder).chmod(0o711)
        home = Home(Path(folder))
        rest = {name: value for name, value in os.environ.items() if name not in ours}
        environment = {**rest, "NEWSDESK_HOME": folder, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            [sys.executable, "-m", "newsdesk", "up"],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            _wait(lambda: _is_healthy(home), PATIENCE)
            yield home, process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _is_healthy(home: Home) -> bool:
    if not home.run_state():
        return False
    try:
        connection = http.client.HTTPConnection("127.0.0.1", home.last_ports()["web"], timeout=5)
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False


def _wait(condition: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"nothing happened within {seconds:g} s")
        time.sleep(0.02)


def connect(home: Home) -> "psycopg.Connection[Any]":
    database = home.database()
    return psycopg.connect(
        dbname=database["NAME"], user=database["USER"], host=database["HOST"], port=database["PORT"], autocommit=True
    )


def make_send(readers: int) -> tuple[int, dict[int, UUID]]:
    """A send with this many deliveries in accepted batches; its id, and the attempt of each batch by its first reader."""
    from django.db import connection

    from tasks.models import Send
    from tests import factories

    send = factories.make_send(status=Send.Status.SENT)
    attempts: dict[int, UUID] = {}
    for first in range(1, readers + 1, BATCH):
        size = min(BATCH, readers + 1 - first)
        batch = factories.make_batch(send, size=size, status="submitted")
        attempts[first] = factories.make_attempt(batch, outcome="accepted").pk
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO tasks_delivery (send_id, subscriber_id, batch_id) SELECT %s, r, %s FROM"
                " generate_series(%s::bigint, %s::bigint) r",
                [send.pk, batch.pk, first, first + size - 1],
            )
    return send.pk, attempts


def bodies(send_id: int, attempts: dict[int, UUID], events: int) -> list[bytes]:
    """What SendGrid would post: processed and delivered of each reader, a little mixed, as its servers take turns."""
    now = int(time.time())
    reports = []
    for number in range(events):
        reader, delivered = number // 2 + 1, number % 2
        first = (reader - 1) // BATCH * BATCH + 1
        reports.append(_report(send_id, reader, attempts[first], now, delivered=bool(delivered)))
    cuts = range(0, len(reports), EVENTS_IN_A_POST)
    return [orjson.dumps(reports[cut : cut + EVENTS_IN_A_POST]) for cut in cuts]


def _report(send_id: int, reader: int, attempt: UUID, now: int, *, delivered: bool) -> dict[str, Any]:
    report: dict[str, Any] = {
        "email": f"reader{reader}@example.com",
        "timestamp": now + (reader + delivered) % 60,
        "smtp-id": f"<{uuid4().hex}@geopod-ismtpd-3-0>",
        "event": "delivered" if delivered else "processed",
        "category": ["weekly", f"edition-{send_id}", f"send-{send_id}"],
        "sg_event_id": uuid4().hex[:32],
        "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",
        "nd_delivery": f"{send_id}.{reader}",
        "nd_attempt": str(attempt),
    }
    if delivered:
        report.update(ip="192.0.2.10", tls=1, response="250 2.0.0 OK 1600112502 v20si5273891pjh.103 - gsmtp")
    return report


def ours(home: Home, posts: list[bytes], key: SigningKey, pid: int) -> tuple[float, dict[str, float]]:
    """Seconds from the first POST until everything is applied, and those of the processor by kind of process."""
    port = home.last_ports()["web"]
    stamp = int(time.time())
    signed = [(body, key.headers(body, timestamp=stamp)) for body in posts]
    shares = [signed[start::CONNECTIONS] for start in range(CONNECTIONS)]
    with connect(home) as database:
        spent_before = processes.processor_seconds(pid)
        client_before = time.process_time()
        (before,) = database.execute("SELECT count(*) FROM tasks_receipt").fetchone() or (0,)
        began = time.perf_counter()
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(lambda share: _post(port, share), shares))
        posted = time.perf_counter() - began
        _wait(lambda: _all_applied(database, before + len(posts)), PATIENCE)
        took = time.perf_counter() - began
    client = time.process_time() - client_before
    spent = {
        kind: seconds - spent_before.get(kind, 0.0) for kind, seconds in processes.processor_seconds(pid).items()
    } | {"client": client}
    print(f"    posted in {posted:.1f} s, applied after {took:.1f} s")
    return took, spent


def _post(port: int, share: list[tuple[bytes, dict[str, str]]]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for body, headers in share:
        connection.request("POST", "/webhooks/sendgrid", body, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 204, answer.status


def _all_applied(database: "psycopg.Connection[Any]", receipts: int) -> bool:
    row = database.execute(
        "SELECT (SELECT count(*) FROM tasks_receipt), EXISTS (SELECT 1 FROM tasks_receipt WHERE applied_at IS NULL)"
    ).fetchone()
    return row == (receipts, False)


def bare(home: Home, posts: list[bytes]) -> float:
    """Seconds that two processes take to read and insert the same bodies."""
    with connect(home) as database:
        database.execute("DROP TABLE IF EXISTS bare_event")
        database.execute(_SHAPED_LIKE_EVENTS)
    start = multiprocessing.Barrier(3)
    processes = [
        multiprocessing.Process(target=_bare_loop, args=(home, posts[half::2], start), daemon=True) for half in range(2)
    ]
    for process in processes:
        process.start()
    start.wait()
    began = time.perf_counter()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    return time.perf_counter() - began


def _bare_loop(home: Home, posts: list[bytes], start: Any) -> None:
    with connect(home) as database, psycopg.Cursor(database) as cursor:
        start.wait()
        for body in posts:
            rows = [_bare_row(entry) for entry in orjson.loads(body)]
            cursor.execute(_BARE_INSERT.encode(), [list(column) for column in zip(*rows, strict=True)], binary=True)


def _bare_row(entry: dict[str, Any]) -> tuple[bytes, int, int, str, int]:
    delivery, kind, at = entry["nd_delivery"], entry["event"], entry["timestamp"]
    send, _, subscriber = delivery.partition(".")
    key = blake2b(f"{delivery}\0{kind}\0{at}\0".encode(), digest_size=16).digest()
    return key, int(send), int(subscriber), kind, at


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--checkout", help="measure the code in this folder instead")
    parser.add_argument("--json", action="store_true", help="print the rounds as JSON too")
    options = parser.parse_args()
    events = max(options.events // 2, 1) * 2
    rounds: list[dict[str, float]] = []
    with newsdesk_up() as (home, pid):
        os.environ.update(NEWSDESK_HOME=str(home.path), DJANGO_SETTINGS_MODULE="newsdesk.settings")
        import django

        django.setup()
        key = SigningKey.kept_in(home.sandbox)
        for number in range(options.rounds):
            posts = bodies(*make_send(events // 2), events)
            load = os.getloadavg()[0]
            of_bare = events / bare(home, posts)
            took, spent = ours(home, posts, key, pid)
            of_ours = events / took
            micros = {kind: 1e6 * seconds / events for kind, seconds in sorted(spent.items()) if seconds}
            rounds.append({"bare": of_bare, "ours": of_ours, "ratio": of_ours / of_bare, "load": load, **micros})
            print(
                f"round {number + 1}: bare {of_bare:,.0f}/s, ours {of_ours:,.0f}/s (target {TARGET:,}), "
                f"ratio {of_ours / of_bare:.2f}, load before {load:.1f}",
                flush=True,
            )
            each = ", ".join(f"{kind} {value:.1f}" for kind, value in micros.items())
            print(f"    processor: {sum(micros.values()):.1f} µs an event ({each})", flush=True)
        from django.db import connections

        connections.close_all()
    print(
        f"{events:,} events in {len(posts)} POSTs of some {len(posts[0]) // 1000} KB · Python "
        f"{platform.python_version()}, {os.cpu_count()} cores, {platform.system()}"
    )
    if options.json:
        print(json.dumps(rounds))


if __name__ == "__main__":
    main()
