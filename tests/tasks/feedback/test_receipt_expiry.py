"""Applied bodies go after a while; what waits for somebody stays."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tasks.database import deleting
from tasks.feedback import inbox
from tasks.models import Receipt
from tasks.privacy.retention import keep_periods

pytestmark = pytest.mark.django_db


def make(days: float | None, error: str = "") -> int:
    applied = None if days is None else timezone.now() - timedelta(days=days)
    return Receipt.objects.create(body=b"[]", applied_at=applied, error=error).pk


def left() -> set[int]:
    return set(Receipt.objects.values_list("pk", flat=True))


def test_only_what_was_applied_whole_and_long_ago_expires() -> None:
    kept = {make(None), make(29.9), make(99, "entry 0 is not an object but int"), make(None, "not JSON")}
    make(30.1)
    make(99)

    assert sum(inbox.expire(30)) == 2
    assert left() == kept


def test_nought_keeps_everything(settings: Any) -> None:
    settings.RECEIPT_DAYS = 0
    kept = {make(9999)}

    assert keep_periods()["receipts"] == 0
    assert left() == kept


@pytest.mark.parametrize("plan", ["", "enable_hashjoin enable_mergejoin enable_hashagg enable_sort enable_material"])
def test_it_goes_in_pieces_to_the_end_whatever_the_planner_does(plan: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planned as a nested loop, LIMIT was asked for anew with each row: all were deleted at once."""
    monkeypatch.setattr(deleting, "CHUNK", 3)
    with connection.cursor() as cursor:
        for setting in plan.split():
            cursor.execute(f"SET LOCAL {setting} = off")
    for _ in range(10):
        make(40)

    assert list(inbox.expire(30)) == [3, 3, 3, 1]
    assert left() == set()
