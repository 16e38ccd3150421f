"""Memory of the web's processes while SendGrid reports: after 10,000 events and after a million.

    python benchmarks/web_memory.py [--events 10000 1000000] [--clients 8]

The whole of `newsdesk up` runs in a new home. Clients post signed bodies of some 768 KB, which is where SendGrid closes one, each over a
connection of its own and as fast as it is answered; the worker applies them meanwhile. After each number of events the web's
children are looked at: the kernel's high-water mark of resident memory (VmHWM of /proc, Linux only) and what is resident then. Of
several children the largest counts. Target: the mark after the last number is at most 1.05 times that after the first.
"""

import argparse
import http.client
import os
import platform
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import orjson

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.support import processes
from benchmarks.support import up as ups

EVENTS = (10_000, 1_000_000)
TARGET = 1.05
#: Of some 510 bytes each.
EVENTS_IN_A_POST = 1500


def body(number: int) -> bytes:
    """What SendGrid posts at once: reports of another installation's mails, which are cheap for the worker."""
    now, installation = int(time.time()), uuid4().hex
    reports = [
        {
            "email": f"reader{number}-{at}@example.com",
            "timestamp": now,
            "smtp-id": f"<{uuid4().hex}@geopod-ismtpd-3-0>",
            "event": "delivered",
            "category": ["weekly", "edition-1", "send-1"],
            "sg_event_id": uuid4().hex,
            "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",
            "nd_delivery": f"1.{at}",
            "nd_installation": installation,
            "ip": "192.0.2.10",
            "tls": 1,
            "response": "250 2.0.0 OK 1600112502 v20si5273891pjh.103 - gsmtp",
        }
        for at in range(EVENTS_IN_A_POST)
    ]
    return orjson.dumps(reports)


def post(up: ups.Up, numbers: Iterator[int], clients: int) -> None:
    """Post a body for each number, by so many clients at a time."""
    from sandbox.signing import SigningKey

    key = SigningKey.kept_in(up.home.sandbox)
    parts = urlsplit(up.home.base_url())
    lock, failed = threading.Lock(), list[BaseException]()

    def client() -> None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
        try:
            while not failed:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                text = body(number)
                headers = {**key.headers(text, timestamp=int(time.time())), "Content-Type": "application/json"}
                connection.request("POST", "/webhooks/sendgrid", text, headers)
                answer = connection.getresponse()
                answer.read()
                assert answer.status == 204, answer.status
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            connection.close()

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def web(up: ups.Up) -> list[int]:
    """The processes that answer."""
    (main,) = [pid for pid in processes.children(up.pid) if "gunicorn" in processes.command(pid)]
    return processes.children(main)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, nargs="+", default=list(EVENTS))
    parser.add_argument("--clients", type=int, default=8)
    given = parser.parse_args()
    peaks: list[float] = []
    print(f"{'events':>10}{'peak MB':>10}{'now MB':>10}{'seconds':>10}")
    with ups.running() as up:
        posted = 0
        for events in given.events:
            began, last = time.perf_counter(), -(-events // EVENTS_IN_A_POST)
            post(up, iter(range(posted, last)), given.clients)
            posted = last
            peaks.append(max(processes.peak(pid) for pid in web(up)) / 1024)
            now = max(processes.resident(pid) for pid in web(up)) / 1024
            print(f"{events:10}{peaks[-1]:10.1f}{now:10.1f}{time.perf_counter() - began:10.1f}", flush=True)
    print(f"the web's peak grows by {peaks[-1] / peaks[0]:.2f} (target {TARGET:.2f})")
    print(
        f"{given.clients} clients, Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()}, "
        f"load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
