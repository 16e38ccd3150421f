"""The token bucket on a real Valkey."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from newsdesk.core import redis_client
from tasks.throttling.rate_limit import BURST, VALKEY_DOWN_WAIT, Rate, take

#: Seconds: Valkey's clock and what is stored of it are rounded.
ROUNDING = 0.002

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("valkey_url", "patient_valkey_client")]


@pytest.fixture(autouse=True)
def _fresh(valkey_url: str, patient_valkey_client: None) -> None:
    redis_client.client(valkey_url).flushall()


def test_without_a_limit_nothing_is_asked() -> None:
    assert take("t", 1000, rate=Rate()) == 0.0


def test_a_large_request_goes_and_the_next_waits_for_its_price() -> None:
    slow = Rate(recipients=100)

    began = time.monotonic()
    assert take("t", 1000, rate=slow) == 0.0
    wait = take("t", 1, rate=slow)
    assert 10 - BURST - (time.monotonic() - began) - ROUNDING <= wait <= 10 - BURST + ROUNDING
    assert take("other", 1, rate=slow) == 0.0


def test_whoever_is_urgent_never_waits_and_the_others_wait_for_it() -> None:
    slow = Rate(requests=2)

    began = time.monotonic()
    waits = [take("t", 1, rate=slow, urgent=True) for _ in range(6)]

    assert waits == [0.0] * 6
    wait = take("t", 1, rate=slow)
    assert 3 - BURST - (time.monotonic() - began) - ROUNDING <= wait <= 3 - BURST + ROUNDING


@pytest.mark.parametrize("rate", [Rate(recipients=200), Rate(requests=20), Rate(recipients=200, requests=1000)])
def test_many_takers_together_keep_the_rate(rate: Rate) -> None:
    """Ten recipients a request: both rates allow twenty requests a second."""
    price, wanted = 1 / 20, 40
    left, waits = iter(range(wanted)), []

    def greedy(_: int) -> None:
        while next(left, None) is not None:
            while wait := take("t", 10, rate=rate):
                waits.append(wait)
                time.sleep(wait)

    began = time.monotonic()
    with ThreadPoolExecutor(6) as crowd:
        list(crowd.map(greedy, range(6)))
    seconds = time.monotonic() - began

    assert wanted <= 20 * (seconds + BURST) + 1, "no faster"
    # Whoever comes too early is told to wait for one price at most: so it is no slower either.
    assert waits
    assert max(waits) <= price + ROUNDING


def test_a_forgotten_bucket_is_full_and_a_broken_one_holds_back(monkeypatch: pytest.MonkeyPatch) -> None:
    rate = Rate(recipients=1)
    assert take("t", 1000, rate=rate) == 0.0
    assert take("t", 1, rate=rate) > 100
    monkeypatch.setattr("tasks.throttling.rate_limit.settings.REDIS_URL", "redis+socket:///nowhere/valkey.sock")

    assert take("t", 1, rate=rate) == VALKEY_DOWN_WAIT
    assert take("t", 1, rate=rate, urgent=True) == 0.0
