"""Comparisons at their edges, where the rules that are tried at random seldom go (issue 13, point 15)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from composer.models import Publication
from subscribers.models import Consent, List, Subscriber, Subscription
from subscribers.segments import Scope, condition, parse

pytestmark = pytest.mark.django_db

Holds = Callable[..., bool]


@pytest.fixture
def holds(publication: Publication) -> Holds:
    """Whether a comparison is true of one reader with these columns, on lists of these names."""

    def asked(
        field: str,
        op: str,
        value: Any = None,
        *more: Any,
        lists: tuple[str, ...] = (),
        exact: bool = False,
        **columns: Any,
    ) -> bool:
        reader = Subscriber.objects.create(**{"email": "reader@example.com"} | columns)
        ids = [List.objects.create(publication=publication, slug=slug, name=slug).pk for slug in lists]
        Subscription.objects.bulk_create(Subscription(subscriber=reader, list_id=one, status="active") for one in ids)
        rule: dict[str, Any] = {"field": field, "op": op} | ({} if value is None else {"value": value})
        rule |= {"exact": True} if exact else {}
        if more:
            # Several of one field are one comparison, which is compiled in another way.
            rule = {"any": [{"field": field, "op": op, "value": one} for one in (value, *more)]}
        sql = condition(parse(rule), Scope(publication_id=publication.pk, list_ids=ids))
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {sql.sql} FROM subscribers_subscriber s WHERE s.id = %s", [*sql.params, reader.pk])
            (answer,) = cursor.fetchone()
        assert isinstance(answer, bool)
        reader.delete()
        List.objects.filter(pk__in=ids).delete()
        return answer

    return asked


@pytest.mark.parametrize(("tags", "is_set"), [([], False), (["vip"], True), (["vip", "press"], True)])
def test_tags_are_set_from_the_first_on(tags: list[str], is_set: bool, holds: Holds) -> None:
    assert holds("tags", "exists", tags=tags) is is_set
    assert holds("tags", "missing", tags=tags) is not is_set


@pytest.mark.parametrize(("lists", "is_set"), [((), False), (("a",), True), (("a", "b"), True)])
def test_lists_are_set_from_the_first_on(lists: tuple[str, ...], is_set: bool, holds: Holds) -> None:
    assert holds("lists", "exists", lists=lists) is is_set


@pytest.mark.parametrize(
    ("tags", "any_of", "all_of"), [(["a"], True, False), (["a", "b"], True, True), (["c"], False, False)]
)
def test_tags_any_and_all(tags: list[str], any_of: bool, all_of: bool, holds: Holds) -> None:
    assert holds("tags", "has_any", ["a", "b"], tags=tags) is any_of
    assert holds("tags", "has_all", ["a", "b"], tags=tags) is all_of


@pytest.mark.parametrize(
    ("part", "contains", "starts", "ends"),
    [
        ("Ada", True, True, False),
        ("a L", True, False, False),
        ("ace", True, False, True),
        ("Ada Lovelace", True, True, True),
        ("ADA", True, True, False),
        ("x", False, False, False),
        # One sign of an expression each: they are looked for as they are.
        (".", False, False, False),
    ],
)
def test_a_part_of_a_text_at_its_beginning_in_it_and_at_its_end(
    part: str, contains: bool, starts: bool, ends: bool, holds: Holds
) -> None:
    for field, columns in (
        ("name", {"name": "Ada Lovelace"}),
        ("attributes.who", {"attributes": {"who": "Ada Lovelace"}}),
    ):
        for more in ((), ("nowhere",)):
            assert holds(field, "contains", part, *more, **columns) is contains, (field, more)
            assert holds(field, "starts_with", part, *more, **columns) is starts, (field, more)
            assert holds(field, "ends_with", part, *more, **columns) is ends, (field, more)


@pytest.mark.parametrize(("value", "found"), [("red", True), ("RED", True), ("re", False), ("redgreen", False)])
def test_contains_asks_a_list_for_a_whole_item(value: str, found: bool, holds: Holds) -> None:
    assert holds("attributes.colours", "contains", value, attributes={"colours": ["red", "green"]}) is found


@pytest.mark.parametrize(("value", "found"), [("Red", True), ("red", False), ("RED", False)])
def test_with_exact_the_case_of_an_item_matters(value: str, found: bool, holds: Holds) -> None:
    assert holds("attributes.colours", "contains", value, exact=True, attributes={"colours": ["Red"]}) is found


@pytest.mark.parametrize(
    ("number", "expected"),
    [(4, (False, False, True, True)), (5, (False, True, False, True)), (6, (True, True, False, False))],
)
def test_numbers_at_the_bound(number: int, expected: tuple[bool, ...], holds: Holds) -> None:
    told = tuple(holds("attributes.n", op, 5, attributes={"n": number}) for op in ("gt", "gte", "lt", "lte"))

    assert told == expected


@pytest.mark.parametrize(
    ("value", "exact", "found"), [("form", False, True), ("form", True, False), ("Form", True, True)]
)
def test_with_exact_the_case_of_a_source_matters(
    value: str, exact: bool, found: bool, publication: Publication
) -> None:
    reader = Subscriber.objects.create(email="reader@example.com")
    readers = List.objects.create(publication=publication, slug="readers", name="Readers")
    Consent.objects.create(subscriber=reader, list=readers, kind="given", source="Form")
    rule = {"field": "signup_source", "op": "eq", "value": value, "exact": exact}
    sql = condition(parse(rule), Scope(publication_id=publication.pk, list_ids=[readers.pk]))

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql.sql} FROM subscribers_subscriber s", sql.params)
        assert cursor.fetchone() == (found,)


@pytest.mark.parametrize(
    ("years", "days", "is_coming", "comes_round"),
    [(0, 3, True, True), (0, 12, False, False), (30, 3, False, True), (30, 12, False, False)],
)
def test_a_birthday_comes_round_where_its_day_is_long_past(
    years: int, days: int, is_coming: bool, comes_round: bool, holds: Holds
) -> None:
    at = datetime.now(UTC) + timedelta(days=days)
    if (at.month, at.day) == (2, 29):
        at += timedelta(days=1)
    born = f"{at.replace(year=at.year - years):%Y-%m-%d}"

    assert holds("attributes.born", "in_next_days", 7, attributes={"born": born}) is is_coming
    assert holds("attributes.born", "anniversary_in_days", 7, attributes={"born": born}) is comes_round
