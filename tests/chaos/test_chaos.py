"""Sends while SendGrid or a mail server lies, webhooks come twice and in any order, workers, engines and clocks fail, and people meddle.

The suite makes one quick run whose seed never changes. `make chaos` makes longer ones, a third of them over SMTP:

    NEWSDESK_CHAOS_RUNS=n   so many runs
    NEWSDESK_CHAOS_FROM=s   with the seeds s, s+1, … (default: by the date)
    NEWSDESK_CHAOS_SEED=s   one run again; several: s,s,…
    NEWSDESK_CHAOS_LOG=f    a line of JSON for each run is added to f; `python -m tests.chaos.report f` makes a table of it

`plans` says what may happen, `disasters` what is done to the processes, `judge` what is promised. What a step of the
clock could break: a forward step makes requests look stale whose worker still lives. A `building` batch goes back to
pending then, and the worker's fence must fail; a `submitting` one becomes unknown, and the answer that comes later must
still be recorded. A backward step only delays: what was written before it lies in the future. Pending batches are counted from now
again (`tasks.submission.future_marks`), the age of doubts is not. So the runs put it right again, and let a clock that is ahead go back
by twenty seconds only.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.house import House
from tests.chaos.mail_plans import make_smtp_plan
from tests.chaos.plans import make_plan
from tests.chaos.result import Result
from tests.chaos.runner import Run

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc for whom to kill"),
]

EVERY_DAY = (10,)
#: A house is left for a new one after so many runs; the next one has another number of connections.
RUNS_IN_A_HOUSE = 20
CONNECTIONS = (2, 4, 1)
#: Of a house's disk, so that it can be filled; its database keeps up to 2 GB for a restart. It takes no more memory than is on it.
MEGABYTES = 3000


class Houses:
    """The house to use now: the same for many runs, a new one after a failure."""

    def __init__(self, cluster: Path) -> None:
        self._cluster = cluster
        self._house: House | None = None
        self._made = self._runs = 0

    def current(self, sends_by: str) -> House:
        """One that sends by this provider."""
        if self._house is not None and (self._runs >= RUNS_IN_A_HOUSE or self._house.sends_by != sends_by):
            self.leave(keep=False)
        if self._house is None:
            connections = CONNECTIONS[self._made % len(CONNECTIONS)]
            self._house = House(
                connections=connections,
                cluster=self._cluster,
                sends_by=sends_by,
                megabytes=MEGABYTES if _long() else 0,
            )
            self._made += 1
            self._runs = 0
        self._runs += 1
        return self._house

    def leave(self, *, keep: bool) -> None:
        if self._house is not None:
            self._house.close(keep=keep)
        self._house = None


@pytest.fixture(scope="module")
def houses(migrated_cluster: Path) -> Iterator[Houses]:
    houses = Houses(migrated_cluster)
    yield houses
    houses.leave(keep=False)


def _long() -> bool:
    return bool({"NEWSDESK_CHAOS_SEED", "NEWSDESK_CHAOS_RUNS"} & os.environ.keys())


def _seeds() -> list[int]:
    if "NEWSDESK_CHAOS_SEED" in os.environ:
        seeds = [int(seed) for seed in os.environ["NEWSDESK_CHAOS_SEED"].split(",")]
    elif "NEWSDESK_CHAOS_RUNS" in os.environ:
        first = int(os.environ.get("NEWSDESK_CHAOS_FROM") or time.strftime("%Y%m%d000"))
        seeds = list(range(first, first + int(os.environ["NEWSDESK_CHAOS_RUNS"])))
    else:
        return list(EVERY_DAY)
    # Those of one provider one after another: they share a house.
    return sorted(seeds, key=lambda seed: (_is_by_smtp(seed), seed))


def _is_by_smtp(seed: int) -> bool:
    """A third of the long runs."""
    return _long() and seed % 3 == 2


@pytest.mark.parametrize("seed", _seeds())
def test_nobody_is_mailed_twice_or_missed_whatever_happens(
    seed: int, houses: Houses, record_property: Callable[[str, object], None]
) -> None:
    plan = make_smtp_plan(seed) if _is_by_smtp(seed) else make_plan(seed, quick=not _long())
    house = houses.current(plan.provider)
    try:
        result = Run(house, plan).carry_out()
    except BaseException:
        record_property("chaos", f"seed {seed}: planned {', '.join(plan.words)} | broke off; home: {house.home.path}")
        houses.leave(keep=True)
        raise
    record_property("chaos", result.line())
    _log(result)
    if not result.ok:
        houses.leave(keep=True)
    elif plan.forgets:
        # What was reported to the lost database is lost: of requests that nobody heard of no silence is believed for ten minutes.
        houses.leave(keep=False)
    assert result.ok, result.line()


def _log(result: Result) -> None:
    if path := os.environ.get("NEWSDESK_CHAOS_LOG"):
        with Path(path).open("a", encoding="utf-8") as log:
            log.write(result.as_json() + "\n")
