"""The values of comparisons at their bounds: the last that is taken, the first that is refused."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from subscribers.segments import Leaf, RuleError, parse
from subscribers.segments.values import day_bounds


def value_of(field: str, op: str, value: Any) -> Any:
    leaf = parse({"field": field, "op": op, "value": value})
    assert isinstance(leaf, Leaf)
    return leaf.value


@pytest.mark.parametrize(
    ("field", "op", "value"),
    [
        ("opened", "within_days", 1),
        ("opened", "within_days", 36_500),
        ("attributes.due", "in_next_days", 0),
        ("attributes.due", "anniversary_in_days", 36_500),
        ("opened", "within_editions", 1),
        ("opened", "not_within_editions", 1000),
        ("name", "eq", "a" * 1000),
        ("name", "eq", ""),
        ("attributes.n", "eq", 10**100 - 1),
        ("attributes.n", "eq", -(10**100) + 1),
        ("attributes.n", "gt", "7 days"),
    ],
)
def test_what_is_taken(field: str, op: str, value: object) -> None:
    assert value_of(field, op, value) == value


@pytest.mark.parametrize(
    ("field", "op", "value"),
    [
        ("clicked_story", "has_any", [1, 2**63 - 1]),
        ("attributes.n", "in", list(range(1000))),
        ("attributes.n", "between", [3, 3]),
        ("attributes.n", "between", [-1.5, 3]),
        ("attributes.day", "between", ["2026-01-31", "2026-01-31"]),
        ("created_at", "between", ["2026-01-31", "9999-12-30"]),
    ],
)
def test_lists_that_are_taken(field: str, op: str, value: list[object]) -> None:
    assert value_of(field, op, value) == tuple(value)


@pytest.mark.parametrize(
    ("field", "op", "value", "says"),
    [
        ("opened", "within_days", 0, "0 is not a number of days from 1 to 36500"),
        ("opened", "within_days", 36_501, "36501 is not a number of days from 1 to 36500"),
        ("opened", "within_days", True, "True is not a number of days"),
        ("attributes.due", "in_next_days", -1, "-1 is not a number of days from 0 to 36500"),
        ("opened", "within_editions", 0, "0 is not a number of editions from 1 to 1000"),
        ("opened", "within_editions", 1001, "1001 is not a number of editions from 1 to 1000"),
        ("name", "eq", "a" * 1001, "longer than 1000 characters"),
        ("name", "eq", "\x00", "no text can hold"),
        ("name", "eq", "\ud800", "no text can hold"),
        ("name", "eq", chr(0xDFFF), "no text can hold"),
        ("attributes.n", "eq", 10**100, "of that size"),
        ("attributes.n", "eq", -(10**100), "of that size"),
        ("attributes.n", "eq", 10**100 + 1, "of that size"),
        ("attributes.n", "eq", float("inf"), "of that size"),
        ("attributes.n", "eq", float("nan"), "of that size"),
        ("attributes.n", "in", [], "a list of 0"),
        ("attributes.n", "in", list(range(1001)), "a list of 1001"),
        ("attributes.n", "in", "abc", "'abc' is not a list"),
        ("attributes.n", "gt", "+7.5", "without quotes"),
        ("clicked_story", "has_any", [0], "0 is not the number of a story"),
        ("clicked_story", "has_any", [-1], "-1 is not the number of a story"),
        ("clicked_story", "has_any", [2**63], "is not the number of a story"),
        ("clicked_story", "has_any", [True], "True is not the number of a story"),
        ("attributes.n", "between", [3, 2], "2 is smaller than 3"),
        ("attributes.n", "between", [3], "write two values"),
        ("attributes.n", "between", [1, 2, 3], "write two values"),
        ("attributes.n", "between", [3, True], "True is not a number"),
        ("attributes.day", "between", ["2026-02-01", "2026-01-31"], "'2026-01-31' is smaller than '2026-02-01'"),
        ("created_at", "between", [1, 2], "1 is not a text"),
        ("created_at", "between", ["2026-01-31", "9999-12-31"], "9999-12-31 is too far away"),
        ("attributes.day", "before", "2026-02-30", "'2026-02-30' is not a date"),
        ("attributes.day", "before", "20260228", "'20260228' is not a date"),
        ("created_at", "on_or_before", "9999-12-31", "9999-12-31 is too far away"),
        ("created_at", "after", "0001-01-01T00:00+14:00", "is not a date"),
    ],
)
def test_what_is_refused(field: str, op: str, value: object, says: str) -> None:
    with pytest.raises(RuleError, match=r"^value") as caught:
        value_of(field, op, value)

    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-01-31T09:00+08:00", datetime(2026, 1, 31, 1, tzinfo=UTC)),
        ("2026-01-31T09:00", datetime(2026, 1, 31, 9, tzinfo=UTC)),
    ],
)
def test_an_instant_is_utc(written: str, instant: datetime) -> None:
    assert value_of("created_at", "after", written) == instant


@pytest.mark.parametrize(("op", "bound"), [("before", 31), ("on_or_after", 31), ("after", 1), ("on_or_before", 1)])
def test_a_whole_day_has_a_beginning_and_an_end(op: str, bound: int) -> None:
    assert day_bounds(date(2026, 1, 31), op) == datetime(2026, 1 if bound == 31 else 2, bound, tzinfo=UTC)
