"""Which of these tests run: one in every suite, all with NEWSDESK_MACHINES=1 (`make machines`), where hosts can be made."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests import hosts
from tests.machines.spread import Spread

#: Minutes each.
LONG_ONES = pytest.mark.skipif("NEWSDESK_MACHINES" not in os.environ, reason="minutes: `make machines` runs it")


class MakeSpread(Protocol):
    def __call__(
        self,
        *,
        clocks: dict[str, int] | None = None,
        standby: bool = False,
        synchronous: bool = False,
        settings: dict[str, str] | None = None,
    ) -> Spread: ...


@pytest.fixture(scope="session")
def _hosts() -> None:
    if why := hosts.why_not():
        pytest.skip(why)


@pytest.fixture
def make_spread(_hosts: None, migrated_cluster: Path, request: pytest.FixtureRequest) -> Iterator[MakeSpread]:
    """Makes a spread Newsdesk that ends with the test; of one that failed the homes stay."""
    made: list[Spread] = []

    def make(
        *,
        clocks: dict[str, int] | None = None,
        standby: bool = False,
        synchronous: bool = False,
        settings: dict[str, str] | None = None,
    ) -> Spread:
        spread = Spread(migrated_cluster, clocks=clocks, standby=standby, synchronous=synchronous, settings=settings)
        made.append(spread)
        return spread

    failed_before = request.session.testsfailed
    yield make
    for spread in made:
        spread.close(keep="NEWSDESK_MACHINES_KEEP" in os.environ or request.session.testsfailed > failed_before)
