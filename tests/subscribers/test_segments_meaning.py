"""The meaning of rules, told twice: once in SQL by the code, once in Python here. They must agree on everything."""

import json
import operator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from subscribers.models import List, Subscriber, Subscription
from subscribers.segments import condition, parse

NOW = datetime.now(UTC)
ORDER = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
COMPLEMENT = {"ne": "eq", "not_in": "in", "missing": "exists", "has_none": "has_any"}

TEXTS = [
    "",
    "SG",
    "sg",
    "true",
    "TRUE",
    "42",
    "42.0",
    "-1.5",
    "x4",
    "4 2",
    "[1]",
    '{"a": 1}',
    "é",
    "100%",
    "2026-01-02",
    "%s",
]
NUMBERS = [0, 1, 42, -1.5, 42.0, 1e22, 7.25]
KEYS = ["a", "b.c", "with 'quote", "%s"]
TAGS = ["vip", "VIP", "été", "a,b"]
DAYS = ["2026-01-01", "2026-01-02", "2026-01-02T12:00", "2026-01-02T00:00:00+08:00", "2025-12-31T23:59:59Z"]
MOMENTS = [
    datetime(2025, 12, 31, 16, tzinfo=UTC),
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 2, 12, tzinfo=UTC),
    datetime(2026, 1, 3, tzinfo=UTC),
    NOW - timedelta(days=2, hours=12),
]

texts = st.sampled_from(TEXTS)
scalars = texts | st.sampled_from(NUMBERS) | st.booleans()
attribute_values = scalars | st.none() | st.lists(scalars, max_size=2) | st.just({"SG": 1})
plain = st.sampled_from(["SG", "en", "EN-gb", "", "Ada"])


def one(field: st.SearchStrategy[str], op: str, value: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"field": field, "op": st.just(op), "value": value})


def leaves() -> st.SearchStrategy[dict[str, Any]]:
    attribute = st.sampled_from(KEYS).map(lambda key: f"attributes.{key}")
    column = st.sampled_from(["name", "language", "timezone", "email"])
    words = plain | st.sampled_from(["r0@example.com", "R0@EXAMPLE.com", "r1@"])
    tags = st.lists(st.sampled_from(TAGS), min_size=1, max_size=2)
    ordered = st.sampled_from(NUMBERS) | st.sampled_from(["SG", "", "2026-01-01", "é"])
    filled = texts.filter(bool)
    return st.one_of(
        *(one(attribute, op, scalars) for op in ("eq", "ne")),
        *(one(attribute, op, st.lists(scalars, min_size=1, max_size=3)) for op in ("in", "not_in")),
        *(one(attribute, op, filled) for op in ("contains", "starts_with")),
        *(one(attribute, op, ordered) for op in ORDER),
        *(one(column, op, words) for op in ("eq", "ne")),
        *(one(column, op, st.lists(words, min_size=1, max_size=3)) for op in ("in", "not_in")),
        *(one(column, op, words.filter(bool)) for op in ("contains", "starts_with")),
        *(one(st.just("tags"), op, tags) for op in ("has_any", "has_all", "has_none")),
        *(
            one(st.just("subscribed_at"), op, st.sampled_from(DAYS))
            for op in ("before", "after", "on_or_before", "on_or_after")
        ),
        one(st.just("subscribed_at"), "within_days", st.integers(1, 4)),
        st.fixed_dictionaries(
            {"field": attribute | column | st.just("tags"), "op": st.sampled_from(["exists", "missing"])}
        ),
    )


rules = st.recursive(
    leaves(),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=5,
).filter(lambda rule: json.dumps(rule).count("{") < 10)
readers = st.fixed_dictionaries(
    {
        "name": plain,
        "language": st.sampled_from(["", "en", "EN-gb"]),
        "timezone": st.sampled_from(["", "Asia/Singapore"]),
        "attributes": st.dictionaries(st.sampled_from(KEYS), attribute_values),
        "tags": st.lists(st.sampled_from(TAGS), max_size=2),
        "subscribed": st.dictionaries(st.integers(0, 1), st.sampled_from(MOMENTS)),
    }
)


class Oracle:
    """Evaluates rules in Python. `lists` are the positions of the lists whose dates count."""

    def __init__(self, reader: dict[str, Any], lists: tuple[int, ...]) -> None:
        self.reader = reader
        self.lists = lists

    def holds(self, rule: dict[str, Any]) -> bool:
        if "all" in rule:
            return all(self.holds(child) for child in rule["all"])
        if "any" in rule:
            return any(self.holds(child) for child in rule["any"])
        if "not" in rule:
            return not self.holds(rule["not"])
        op = rule["op"]
        if op in COMPLEMENT:
            return not self.compare(rule["field"], COMPLEMENT[op], rule.get("value"))
        return self.compare(rule["field"], op, rule.get("value"))

    def compare(self, field: str, op: str, value: Any) -> bool:
        if field == "tags":
            tags = set(self.reader["tags"])
            return {
                "exists": lambda: bool(tags),
                "has_any": lambda: bool(tags & set(value)),
                "has_all": lambda: set(value) <= tags,
            }[op]()
        if field == "subscribed_at":
            moments = [moment for where, moment in self.reader["subscribed"].items() if where in self.lists]
            return any(on_time(op, moment, value) for moment in moments)
        if field.startswith("attributes."):
            return attribute(self.reader["attributes"].get(field.removeprefix("attributes.")), op, value)
        fold = str.lower if field in ("email", "language") else str
        values = [fold(item) for item in value] if isinstance(value, list) else fold(str(value))
        return text(fold(self.reader[field]), op, values)


def text(stored: str, op: str, value: Any) -> bool:
    return {
        "exists": lambda: stored != "",
        "eq": lambda: stored == value,
        "in": lambda: stored in value,
        "contains": lambda: value in stored,
        "starts_with": lambda: stored.startswith(value),
    }[op]()


def on_time(op: str, moment: datetime, value: Any) -> bool:
    if op == "within_days":
        return moment > NOW - timedelta(days=value)
    if len(value) == 10:
        compared: Any = (moment.date(), date.fromisoformat(value))
    else:
        asked = datetime.fromisoformat(value)
        compared = (moment, asked if asked.tzinfo else asked.replace(tzinfo=UTC))
    signs = {"before": "lt", "after": "gt", "on_or_before": "lte", "on_or_after": "gte"}
    return bool(ORDER[signs[op]](*compared))


def attribute(stored: Any, op: str, value: Any) -> bool:  # noqa: PLR0911 - one line for each kind of value
    if op == "exists":
        return stored not in (None, "")
    if op == "in":
        return any(attribute(stored, "eq", item) for item in value)
    if isinstance(stored, list):
        return op == "contains" and value in [item for item in stored if isinstance(item, str)]
    if stored is None or isinstance(stored, dict):
        return False
    as_text = stored if isinstance(stored, str) else json.dumps(stored)
    if isinstance(stored, float) and stored >= 1e16:
        as_text = str(int(stored))
    if isinstance(value, bool):
        return as_text.lower() == str(value).lower()
    if isinstance(value, str):
        return bool(ORDER[op](as_text, value)) if op in ORDER else text(as_text, op, value)
    number = as_number(as_text)
    return number is not None and bool(ORDER.get(op, operator.eq)(number, value))


def as_number(stored: str) -> float | None:
    whole, _, fraction = stored.lstrip("+-").partition(".")
    digits = whole.isdecimal() and (fraction.isdecimal() or "." not in stored)
    return float(stored) if digits else None


@pytest.mark.django_db
@settings(max_examples=80)
@given(
    population=st.lists(readers, min_size=1, max_size=4), rule=rules, positions=st.sampled_from([(0,), (1,), (0, 1)])
)
def test_sql_and_python_agree_and_not_is_the_exact_complement(
    make_list: Any, population: list[dict[str, Any]], rule: dict[str, Any], positions: tuple[int, ...]
) -> None:
    with transaction.atomic():
        lists = [make_list("first"), make_list("second")]
        people = store(population, lists)
        ids = [lists[position].pk for position in positions]
        expected = {number for number, reader in people.items() if Oracle(reader, positions).holds(rule)}
        assert matching(rule, ids) == expected
        assert matching({"not": rule}, ids) == set(people) - expected
        transaction.set_rollback(True)


def store(population: list[dict[str, Any]], lists: list[List]) -> dict[int, dict[str, Any]]:
    people = {}
    for index, reader in enumerate(population):
        reader["email"] = f"R{index}@example.com"
        subscriber = Subscriber.objects.create(**{key: value for key, value in reader.items() if key != "subscribed"})
        people[subscriber.pk] = reader
        for position, moment in reader["subscribed"].items():
            Subscription.objects.create(
                subscriber=subscriber, list=lists[position], status="pending", subscribed_at=moment
            )
    return people


def matching(rule: dict[str, Any], list_ids: list[int]) -> set[int]:
    where = condition(parse(rule), list_ids=list_ids)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT s.id, ({where.sql}) FROM subscribers_subscriber s", where.params)
        rows = cursor.fetchall()
    assert all(isinstance(holds, bool) for _, holds in rows), "a condition is never unknown"
    return {number for number, holds in rows if holds}
