"""What a week costs each machine: processor seconds, bytes of the database, its log and its memory, for one send with all its reports.

    sudo python benchmarks/sizing.py [--readers 200000] [--connections 4]

Newsdesk is spread over hosts in network namespaces (`tests/machines`): web with beat, two workers, PostgreSQL and Valkey, and the local
SendGrid, which posts processed and delivered for each reader. Seconds are those of the processor, the processes' own and the kernel's for
them, so that other work on the machine matters little; by the clock they say nothing. It needs root, and a cluster that the tests have
migrated (`pytest tests/tasks/database`).
"""

import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.hosts import Host
from tests.machines.spread import Spread

_TICK = os.sysconf("SC_CLK_TCK")
_TABLES = {
    "a reader": ("subscribers_subscriber", "subscribers_subscription"),
    "a delivery": ("tasks_delivery",),
    "a reader's two reports": ("tasks_event",),
    "the same as they came (deleted after 30 days)": ("tasks_receipt",),
}
_PARTS = {
    "PostgreSQL": ("data", "postgres"),
    "Valkey": ("data", "valkey-server"),
    "web": ("web", "gunicorn"),
    "beat": ("web", "celery beat"),
    "worker one": ("one", "celery"),
    "worker two": ("two", "celery"),
    "the local SendGrid": ("sendgrid", "sandbox"),
}


def processor_seconds(host: Host, mark: str) -> float:
    """Of the processes that hold the mark, and of those they have waited for."""
    seconds = 0.0
    for pid in host.pids():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if mark in command:
            seconds += sum(int(field) for field in fields[11:15]) / _TICK
    return seconds


def memory(host: Host, mark: str) -> float:
    """MB that no other process has: of the largest process that holds the mark."""
    largest = 0
    for pid in host.pids():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        if mark in command:
            private = sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_"))
            largest = max(largest, private)
    return largest / 1024


def look(spread: Spread) -> dict[str, float]:
    return {part: processor_seconds(spread.host(host), mark) for part, (host, mark) in _PARTS.items()}


def log_position(spread: Spread) -> int:
    return int(spread.rows("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")[0][0])


def size(spread: Spread, tables: tuple[str, ...]) -> int:
    """With indexes and partitions."""
    found = spread.rows(
        "SELECT COALESCE(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c WHERE c.relkind IN ('r', 'm')"
        " AND c.relname ~ ('^(' || %s || ')(_.*)?$') AND c.relname <> ALL(%s)",
        ["|".join(tables), [name for names in _TABLES.values() for name in names if name not in tables]],
    )
    return int(found[0][0])


def measure(readers: int, connections: int) -> None:
    cluster = max(Path(".pytest_cache").glob("d/newsdesk/cluster-*"), key=lambda path: path.stat().st_mtime)
    spread = Spread(cluster.resolve(), settings={"NEWSDESK_CONNECTIONS": str(connections)})
    try:
        spread.start()
        spread.furnish(readers)
        before, log, began = look(spread), log_position(spread), time.monotonic()
        edition, send = spread.send(latency=0)
        spread.wait_until_sent(send)
        sent = time.monotonic() - began
        while spread("status", str(send))["delivered"] < readers or spread.rows(
            "SELECT 1 FROM tasks_receipt WHERE applied_at IS NULL LIMIT 1"
        ):
            time.sleep(1)
        after, written = look(spread), log_position(spread) - log
        spread.assert_each_reader_got_it_once(edition, readers)
        print(
            f"{readers:,} readers, load {os.getloadavg()[0]:.1f}; sent in {sent:.0f} s, all heard of in {time.monotonic() - began:.0f} s"
        )
        for part, (host, mark) in _PARTS.items():
            spent = after[part] - before[part]
            print(
                f"| {part} | {spent:.1f} s | {spent / readers * 1e6:.0f} s a million | {memory(spread.host(host), mark):.0f} MB |"
            )
        for what, tables in _TABLES.items():
            print(f"| {what} | {size(spread, tables) / readers:.0f} bytes |")
        print(f"| the log of PostgreSQL | {written / readers:.0f} bytes a delivery |")
    finally:
        spread.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=200_000)
    parser.add_argument("--connections", type=int, default=4)
    options = parser.parse_args()
    measure(options.readers, options.connections)


if __name__ == "__main__":
    main()
