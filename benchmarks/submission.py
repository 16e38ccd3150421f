"""Submission through Celery to a fast sink, against bare loops over the same batches, in the same run.

    python benchmarks/submission.py [--readers 200000] [--rounds 3] [--latency SECONDS] [--connections N]

Ours: a prepared, paused send of batches of 1000 (60 KB of HTML, 18 KB of text, a name, first name, address and two links for
each reader) is resumed; real Celery workers (prefork 2, started and warm) claim, recheck, build, fence, POST with the official
client and record, until the last batch stands as submitted in the database. The clock runs from just before `resume`.

Bare: two warm processes do the same to the same batches by hand (benchmarks/support/loops.py tells what exactly): claim with SKIP
LOCKED, the same recheck, one token and the same substitutions for each reader, orjson, one POST on a kept connection, the
attempt before it and the outcome after it, each statement durable. The naked loop of the reference (no recheck, no attempt) is printed
for information. The database is the embedded one with fsync on. The target is ours ÷ bare ≥ 0.8.

With --latency each answer of the sink waits so long: then waiting is all, the bare loops (one request at a time) say nothing and
are left out, and the target is what so many connections can do: processes × NEWSDESK_CONNECTIONS × 1000 ÷ latency.
"""

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.support import editions, homes, loops, sink, workers

if TYPE_CHECKING:
    from newsdesk.core.home import Home

BATCH = 1000
TARGET = 0.8
#: Readers of the small send that warms the workers up.
WARM = 20_000
PATIENCE = 60.0
#: Else the database would be behind the mark of what was sent, and nothing would go out.
_REMEMBER_FENCES = (
    b"UPDATE tasks_installation SET fences_before = GREATEST(fences_before, (SELECT max(fence) FROM tasks_attempt))"
)
_RESET = (
    b"DELETE FROM tasks_attempt a USING tasks_batch b WHERE b.id = a.batch_id AND b.send_id = %s",
    b"""
    UPDATE tasks_batch SET status = 'pending', attempt = NULL, attempts = 0, claimed_at = NULL, enqueued_at = NULL, claimed_by = '',
                           not_before = statement_timestamp() WHERE send_id = %s
    """,
    b"UPDATE tasks_send SET status = 'paused', finished_at = NULL WHERE id = %s",
)


class Bench:
    def __init__(self, home: "Home", into: sink.Sink) -> None:
        self._database = homes.connect(home)
        self._sink = into
        #: Mean bytes of a request, by whose it was: they must be alike.
        self.sizes: dict[str, float] = {}

    def reset(self, send_id: int) -> None:
        """All of the send's batches pending again, the send paused, and nothing left over that the next one would pay for."""
        self._database.execute(_REMEMBER_FENCES)
        for statement in _RESET:
            self._database.execute(statement, [send_id])
        self._database.execute("VACUUM ANALYZE tasks_batch, tasks_attempt, tasks_send")
        self._database.execute("CHECKPOINT")

    def timed(self, whose: str, send_id: int, run: Callable[[], object]) -> float:
        """Seconds of one run over all batches; each must have been posted once, and stand as submitted."""
        self.reset(send_id)
        requests, size = self._sink.counted()
        began = time.perf_counter()
        run()
        seconds = time.perf_counter() - began
        requests_after, size_after = self._sink.counted()
        batches = self._count(send_id, b"true")
        assert requests_after - requests == batches == self._count(send_id, b"status = 'submitted'"), whose
        self.sizes[whose] = (size_after - size) / batches
        return seconds

    def ours(self, send_id: int) -> None:
        """Resume the paused send and wait for its last batch."""
        from tasks.sends import control

        assert control.resume(send_id)
        left, since = -1, time.monotonic()
        while now := self._count(send_id, b"status <> 'submitted'"):
            if now != left:
                left, since = now, time.monotonic()
            assert time.monotonic() - since < PATIENCE, f"{left} batches make no progress"
            time.sleep(0.005)

    def _count(self, send_id: int, condition: bytes) -> int:
        row = self._database.execute(
            b"SELECT count(*) FROM tasks_batch WHERE send_id = %s AND " + condition, [send_id]
        ).fetchone()
        assert row is not None
        return int(row[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3, help="of which the medians are told (default %(default)s)")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that each answer waits (default: none)")
    parser.add_argument("--connections", type=int, default=4, help="NEWSDESK_CONNECTIONS (default %(default)s)")
    options = parser.parse_args()
    readers = max(options.readers // BATCH, 1) * BATCH
    with (
        sink.running(latency=options.latency) as into,
        homes.engines(
            SENDGRID_API_KEY="SG.bench",
            SENDGRID_HOST=into.url,
            NEWSDESK_UNDO_SECONDS="0",
            NEWSDESK_CONNECTIONS=str(options.connections),
        ) as home,
    ):
        measure(home, into, readers, options)


def measure(home: "Home", into: sink.Sink, readers: int, options: argparse.Namespace) -> None:
    from newsdesk.local_stack.programs import PROCESSES

    publication = editions.publication()
    warm = editions.prepared(editions.approved(publication), editions.fill_list(publication, "warm", WARM))
    chosen = editions.fill_list(publication, editions.LIST, readers, first=WARM)
    send = editions.prepared(editions.approved(publication), chosen)
    bench = Bench(home, into)
    times: dict[str, list[float]] = {}
    with workers.running(home), loops.running(into.url, processes=PROCESSES) as bare:
        kinds: dict[str, Callable[[int], object]] = {"ours": bench.ours}
        if not options.latency:
            kinds["bare"] = lambda send_id: bare.run("bare", send_id)
            kinds["naked"] = lambda send_id: bare.run("naked", send_id)
        for kind, run in kinds.items():
            bench.timed(kind, warm.pk, lambda run=run: run(warm.pk))  # type: ignore[misc]
        # Turn and turn about, so that whatever else the machine does falls on all.
        for _ in range(options.rounds):
            for kind, run in kinds.items():
                times.setdefault(kind, []).append(bench.timed(kind, send.pk, lambda run=run: run(send.pk)))  # type: ignore[misc]
    rates = {kind: readers / statistics.median(seconds) for kind, seconds in times.items()}
    if options.latency:
        connections = PROCESSES * options.connections
        possible = connections * BATCH / options.latency
        print(
            f"{options.latency * 1000:.0f} ms: ours {rates['ours']:.0f}/s of the {possible:.0f}/s that {connections} "
            f"connections can do: {rates['ours'] / possible:.2f}"
        )
    else:
        print(
            f"bare {rates['bare']:.0f}/s, ours {rates['ours']:.0f}/s, ratio {rates['ours'] / rates['bare']:.2f} "
            f"(target {TARGET}); naked {rates['naked']:.0f}/s"
        )
        ratios = (loop / own for loop, own in zip(times["bare"], times["ours"], strict=True))
        print(f"ratio of each round: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")
        size = round(bench.sizes["ours"])
        alone = into.rate(size=size, connections=PROCESSES) * BATCH
        sizes = ", ".join(f"{kind} {size / 1000:.0f} KB" for kind, size in bench.sizes.items())
        print(f"the sink alone {alone:.0f}/s; bytes of a request: {sizes}")
    print(
        f"{readers} readers in {readers // BATCH} batches, medians of {options.rounds} · Python "
        f"{platform.python_version()}, {os.cpu_count()} cores, {platform.system()}, load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
