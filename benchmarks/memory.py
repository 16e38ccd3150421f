"""Peak memory of each kind of process over sends of different sizes, with everything that comes back.

    python benchmarks/memory.py [--sizes 10000 100000 1000000]

For each size everything is started anew in a new home (engines, web, worker, beat, local SendGrid), so that the kernel's own high-water mark
(VmHWM of /proc, Linux only) is that of this size. Readers are imported, an edition composed and sent, and the mark is read
once every event has come back through the web and is applied: the worker's children have then prepared the send, submitted it,
swept and applied receipts. Of several children the largest counts. The target: worker and web
grow by no more than a tenth from the smallest size to the largest. PostgreSQL's mark counts the memory it shares and is printed for
information, as is the local SendGrid's.
"""

import argparse
import os
import platform
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.support import up as ups

SIZES = (10_000, 100_000, 1_000_000)
TARGET = 1.10
JUDGED = ("worker", "web")


def measured(readers: int) -> tuple[dict[str, float], float]:
    """Peak megabytes by kind of process, and the seconds of the send with its events."""
    with ups.running() as up:
        edition = ups.publish(up, readers)
        began = time.perf_counter()
        send = int(up.newsdesk("send", str(edition), "--list", "readers")["send"])
        counts = ups.until_all_is_back(up, send)
        seconds = time.perf_counter() - began
        assert counts["submitted"] == counts["delivered"] == readers, counts
        return up.memory(), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    sizes = parser.parse_args().sizes
    peaks: dict[int, dict[str, float]] = {}
    for size in sizes:
        peaks[size], seconds = measured(size)
        print(f"{size} readers: {seconds:.0f} s with all events", flush=True)
    smallest, largest = peaks[sizes[0]], peaks[sizes[-1]]
    print(f"{'peak MB':16}" + "".join(f"{size:>12}" for size in sizes) + f"{'ratio':>10}")
    worst = 0.0
    for kind in smallest:
        grown = largest.get(kind, 0.0) / smallest[kind]
        worst = max(worst, grown if kind.startswith(JUDGED) else 0.0)
        columns = "".join(f"{peaks[size].get(kind, 0.0):12.1f}" for size in sizes)
        print(f"{kind:16}{columns}{grown:10.2f}")
    print(f"{' and '.join(JUDGED)} grow by {worst:.2f} at most (target {TARGET:.2f})")
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()}, load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
