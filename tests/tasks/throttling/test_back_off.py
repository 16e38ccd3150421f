"""How long until the next try when nobody says how long."""

import random

import pytest

from tasks.throttling import back_off


@pytest.mark.parametrize(("attempts", "seconds"), [(0, 2), (1, 2), (2, 4), (3, 8), (8, 256), (9, 300), (1000, 300)])
@pytest.mark.parametrize("jitter", [0.75, 1.0, 1.25])
def test_it_doubles_up_to_five_minutes_and_spreads_by_a_quarter(
    attempts: int, seconds: float, jitter: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[float, float]] = []

    def uniform(least: float, most: float) -> float:
        asked.append((least, most))
        return jitter

    monkeypatch.setattr(random, "uniform", uniform)

    assert back_off.back_off(attempts) == seconds * jitter
    assert asked == [(0.75, 1.25)]


@pytest.mark.parametrize(("attempts", "seconds"), [(4, 16), (5, 30), (100, 30)])
def test_another_limit(attempts: int, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda _least, _most: 1.0)

    assert back_off.back_off(attempts, limit=30.0) == seconds
