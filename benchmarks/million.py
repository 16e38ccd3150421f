"""The send of a million, from the file of readers to the last event that comes back, with counts that must add up.

    python benchmarks/million.py [--readers 1000000]

Everything runs as `newsdesk up` runs it in a new home, and is asked as an operator would: import-subscribers, compose, send,
status. The local SendGrid keeps its ledger on disk and no outbox, and posts processed and delivered for each reader. It shares the
machine with what is measured. Seconds: import (the command); prepare (send made until its audience is frozen); submit (until the last
batch); events (from the last batch until every receipt is applied; most come back during submission). It fails unless ours and the
ledger agree: each reader accepted exactly once, submitted, and delivered.
"""

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.support import homes
from benchmarks.support import up as ups

_SECONDS = """
SELECT extract(epoch FROM prepared_at - created_at), extract(epoch FROM finished_at - prepared_at),
       extract(epoch FROM (SELECT max(applied_at) FROM tasks_receipt) - finished_at)
  FROM tasks_send WHERE id = %s
"""
_EVENTS = "SELECT kind, count(*), count(DISTINCT subscriber_id) FROM tasks_event WHERE send_id = %s GROUP BY kind"


def disagreements(
    readers: int, status: dict[str, Any], ledger: dict[str, Any], events: dict[str, list[int]]
) -> list[str]:
    """What does not agree, in words."""
    expected: list[tuple[str, object, object]] = [
        ("status", status["status"], "sent"),
        ("excluded", sum(status["excluded"].values()), 0),
        *((name, status[name], readers) for name in ("candidates", "submitted", "delivered")),
        *((name, status[name], 0) for name in ("pending", "submitting", "unknown", "failed", "bounced", "complained")),
        *((f"ledger {name}", ledger[name], readers) for name in ("accepted", "distinct")),
        ("ledger duplicates", ledger["duplicates"], 0),
        *((f"events {kind}", events.get(kind), [readers, readers]) for kind in ("processed", "delivered")),
    ]
    return [f"{name}: {found}, not {wanted}" for name, found, wanted in expected if found != wanted]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=1_000_000)
    readers = parser.parse_args().readers
    with ups.running() as up:
        began = time.perf_counter()
        edition = ups.publish(up, readers)
        imported = time.perf_counter() - began
        began = time.perf_counter()
        send = int(up.newsdesk("send", str(edition), "--list", "readers")["send"])
        status = ups.until_all_is_back(up, send)
        whole = time.perf_counter() - began
        ledger = up.sandbox(f"/sandbox/ledger?category=edition-{edition}")
        with homes.connect(up.home) as database:
            seconds = database.execute(_SECONDS, [send]).fetchone()
            events = {kind: [number, of] for kind, number, of in database.execute(_EVENTS, [send])}
        assert seconds is not None
        prepare, submit, rest = map(float, seconds)
    print(
        f"import and compose {imported:.1f} s, prepare {prepare:.1f} s, submit {submit:.1f} s ({readers / submit:.0f}/s), "
        f"then events {rest:.1f} s ({2 * readers / (submit + max(rest, 0)):.0f}/s over both); send to end {whole:.1f} s"
    )
    print(f"status {json.dumps(status)}")
    print(f"ledger {json.dumps(ledger)}")
    print(f"events {json.dumps(events)} (reports, readers)")
    print(
        f"{readers} readers · Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()}, "
        f"load {os.getloadavg()[0]:.1f}"
    )
    if wrong := disagreements(readers, status, ledger, events):
        sys.exit("They do not agree: " + "; ".join(wrong))
    print("They agree: each reader was accepted once, submitted and delivered.")


if __name__ == "__main__":
    main()
