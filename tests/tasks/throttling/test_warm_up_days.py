"""How much a young domain may send on a day, and in how large requests."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from tasks.throttling import warm_up


@pytest.mark.django_db
def test_batches_are_small_while_a_domain_is_young() -> None:
    warm_up.change("young.example", starts_on=timezone.now().date() + timedelta(days=1), ceilings=(50, 500))

    assert warm_up.batch_size("young.example") == 5
    assert warm_up.batch_size("old.example") == 1000


@pytest.mark.parametrize(("day", "expected"), [(-3, 50), (0, 50), (1, 100), (2, None), (400, None)])
def test_the_ceiling_of_a_day(day: int, expected: int | None) -> None:
    start = date(2026, 11, 22)
    assert warm_up.ceiling_on(start + timedelta(days=day), starts_on=start, ceilings=[50, 100]) == expected
