"""The token bucket on a real Valkey."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from newsdesk.core import redis_client
from tasks.throttling.rate_limit import BURST, VALKEY_DOWN_WAIT, Rate, take

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("valkey_url")]


@pytest.fixture(autouse=True)
def _fresh(valkey_url: str) -> None:
    redis_client.client(valkey_url).flushall()


def test_without_a_limit_nothing_is_asked() -> None:
    assert take("t", 1000, rate=Rate()) == 0.0


def test_a_large_request_goes_and_the_next_waits_for_its_price() -> None:
    slow = Rate(recipients=100)

    assert take("t", 1000, rate=slow) == 0.0
    assert take("t", 1, rate=slow) == pytest.approx(10 - BURST, abs=0.2)
    assert take("other", 1, rate=slow) == 0.0


def test_whoever_is_urgent_never_waits_and_the_others_wait_for_it() -> None:
    slow = Rate(requests=2)

    waits = [take("t", 1, rate=slow, urgent=True) for _ in range(6)]

    assert waits == [0.0] * 6
    assert take("t", 1, rate=slow) == pytest.approx(3 - BURST, abs=0.2)


@pytest.mark.parametrize("rate", [Rate(recipients=400), Rate(requests=40), Rate(recipients=400, requests=1000)])
def test_many_takers_together_keep_the_rate(rate: Rate) -> None:
    """Ten recipients a request: both rates allow forty requests a second."""
    seconds = 1.5
    until = time.monotonic() + seconds

    def greedy(_: int) -> int:
        taken = 0
        while time.monotonic() < until:
            wait = take("t", 10, rate=rate)
            if wait:
                time.sleep(min(wait, 0.02))
            else:
                taken += 1
        return taken

    with ThreadPoolExecutor(6) as crowd:
        total = sum(crowd.map(greedy, range(6)))

    most = 40 * (seconds + BURST) + 1
    assert most * 0.7 <= total <= most + 1


def test_a_forgotten_bucket_is_full_and_a_broken_one_holds_back(monkeypatch: pytest.MonkeyPatch) -> None:
    rate = Rate(recipients=1)
    assert take("t", 1000, rate=rate) == 0.0
    assert take("t", 1, rate=rate) > 100
    monkeypatch.setattr("tasks.throttling.rate_limit.settings.REDIS_URL", "redis+socket:///nowhere/valkey.sock")

    assert take("t", 1, rate=rate) == VALKEY_DOWN_WAIT
    assert take("t", 1, rate=rate, urgent=True) == 0.0
