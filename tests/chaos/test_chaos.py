"""Sends while SendGrid lies, webhooks come twice and in any order, workers die and the broker forgets.

Each run has a seed and prints it. The whole suite makes one run whose faults are always the same; NEWSDESK_CHAOS_RUNS=n
makes n others (`make chaos` five), NEWSDESK_CHAOS_SEED=n repeats one.
"""

import os
import random
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.machine import Desk, eventually, flush_broker, kill_some_worker, running_desk

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc for whom to kill"),
]

EVERY_DAY = 698_121
READERS = 60_000
FIFTH = READERS // 5
#: Kinds of fault that leave a doubt, that are a clear refusal, and that only delay.
DOUBTS = (
    "accept-then-close",
    "reject-then-close",
    "accept-then-reset",
    "accept-then-error",
    "bad-gateway",
    "truncated",
)
REFUSALS: tuple[dict[str, Any], ...] = (
    {"kind": "rate-limit", "retry_after": 1},
    {"kind": "rate-limit", "headers": False},
    {"kind": "bad-recipient", "personalizations": [3, 500]},
)


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with running_desk(READERS) as desk:
        yield desk


def _seeds() -> list[int]:
    if "NEWSDESK_CHAOS_SEED" in os.environ:
        return [int(os.environ["NEWSDESK_CHAOS_SEED"])]
    if "NEWSDESK_CHAOS_RUNS" in os.environ:
        return [random.randrange(10**6) for _ in range(int(os.environ["NEWSDESK_CHAOS_RUNS"]))]
    return [EVERY_DAY]


@pytest.mark.parametrize("run", range(len(_seeds())))
def test_nobody_is_mailed_twice_or_missed_whatever_happens(run: int, desk: Desk) -> None:
    seed = _seeds()[run]
    dice = random.Random(seed)
    faults = [
        {"kind": "latency", "seconds": dice.uniform(0.1, 0.6)},
        *({"kind": kind, "probability": 0.4, "times": 1} for kind in dice.sample(DOUBTS, 2)),
        *({**refusal, "probability": 0.4, "times": 2} for refusal in dice.sample(REFUSALS, 2)),
    ]
    webhooks = {"shuffle": True, "duplicate": 0.2, "duplicate_new_id": 0.2, "no_event_id": 0.1, "unknown": 0.1}
    print(f"seed {seed}: {faults}")
    edition = desk.compose()
    desk.sandbox("/sandbox/webhooks", webhooks)
    desk.sandbox("/sandbox/faults", faults)
    send = int(desk("send", str(edition), "--list", "readers", "--segment", "fifth")["send"])
    assert eventually(lambda: desk("status", str(send))["status"] != "scheduled", 30)
    for _ in range(dice.randrange(4)):
        time.sleep(dice.uniform(0.1, 1.5))
        dice.choice([lambda: kill_some_worker(desk.up, dice), lambda: flush_broker(desk.up.home)])()
    struck = {fault["kind"]: fault["struck"] for fault in desk.sandbox("/sandbox/faults") if fault["struck"]}
    print(f"struck so far: {struck}")

    told = desk.wait_until_sent(send, 300)
    desk.sandbox("/sandbox/faults", method="DELETE")

    desk.assert_each_reader_got_it_once(edition, told)
    assert told["candidates"] == FIFTH
    assert eventually(lambda: desk.sandbox("/sandbox/events")["quiet"], 60)
    assert eventually(lambda: desk("status", str(send))["delivered"] == told["submitted"], 60)
