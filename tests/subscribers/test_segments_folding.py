"""Comparisons of one field in one group become one; which, and which stay apart."""

from typing import Any

import pytest

from subscribers.segments import All, AnyOf, Leaf, Not, Rule, parse
from subscribers.segments.folding import folded, opposite


def towns(op: str, *values: Any, exact: bool = False) -> list[dict[str, Any]]:
    shape = {"field": "attributes.town", "op": op} | ({"exact": True} if exact else {})
    return [{**shape, "value": value} for value in values]


def town(op: str, *values: Any, exact: bool = False) -> Leaf:
    return Leaf(field="attributes.town", op=op, value=values, exact=exact)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"any": towns("eq", "Bath", "York")}, town("in", "Bath", "York")),
        ({"any": towns("in", ["Bath", "York"], ["York", "Hull"])}, town("in", "Bath", "York", "Hull")),
        ({"all": towns("ne", "Bath", "York")}, town("not_in", "Bath", "York")),
        ({"any": towns("contains", "Ba", "Yo")}, town("contains", "Ba", "Yo")),
        ({"any": towns("starts_with", "Ba", "Yo")}, town("starts_with", "Ba", "Yo")),
        ({"any": towns("ends_with", "th", "rk")}, town("ends_with", "th", "rk")),
        ({"any": [{"any": towns("eq", "Bath")}, *towns("eq", "York")]}, town("in", "Bath", "York")),
        ({"not": {"any": towns("eq", "Bath", "York")}}, Not(town("in", "Bath", "York"))),
        # Equal in Python, not in JSON.
        ({"any": towns("eq", 1, True, 1)}, town("in", 1, True)),
    ],
)
def test_comparisons_with_several_values_are_one(rule: dict[str, Any], expected: Rule) -> None:
    assert folded(parse(rule)) == expected


@pytest.mark.parametrize(
    "rule",
    [
        {"all": towns("eq", "Bath", "York")},
        {"any": towns("ne", "Bath", "York")},
        {"all": towns("contains", "Ba", "Yo")},
        {"any": [*towns("in", ["Bath"]), *towns("in", ["York"], exact=True)]},
        {"any": [*towns("contains", "Ba"), *towns("starts_with", "Yo")]},
        {"any": [{"field": "attributes.town", "op": "exists"}, {"field": "name", "op": "exists"}]},
    ],
)
def test_what_means_something_else_together_stays_apart(rule: dict[str, Any]) -> None:
    assert folded(parse(rule)) == parse(rule)


@pytest.mark.parametrize(
    ("group", "op", "numbers", "decides"),
    [
        ("any", "gt", (3, 5), 3),
        ("any", "gte", (5.5, 3), 3),
        ("any", "lt", (3, 5), 5),
        ("any", "lte", (5, 3), 5),
        ("all", "gt", (3, 5), 5),
        ("all", "gte", (5, 3), 5),
        ("all", "lt", (3, 5), 3),
        ("all", "lte", (5, 3), 3),
    ],
)
def test_of_two_bounds_one_decides(group: str, op: str, numbers: tuple[int, int], decides: float) -> None:
    rule = parse({group: towns(op, *numbers)})

    assert folded(rule) == Leaf(field="attributes.town", op=op, value=decides)


@pytest.mark.parametrize("values", [("B", "Y"), (3, "Y"), ("B", 3)])
def test_bounds_of_texts_stay_apart(values: tuple[object, object]) -> None:
    rule = parse({"any": towns("gt", *values)})

    assert folded(rule) == rule


def test_an_expression_grows_to_four_thousand_characters() -> None:
    *four, fifth = [Leaf(field="name", op="contains", value=part) for part in ("a" * 3000, "b" * 998, "c", "d", "e")]
    joined = Leaf(field="name", op="contains", value=tuple(str(one.value) for one in four))

    assert folded(AnyOf(tuple(four))) == joined
    assert folded(AnyOf((*four, fifth))) == AnyOf((joined, fifth))


def test_a_list_of_whole_values_has_no_such_bound() -> None:
    texts = [letter * 1000 for letter in "abcde"]

    assert folded(parse({"any": towns("eq", *texts)})) == town("in", *texts)


def test_groups_inside_groups_of_the_other_kind_stay() -> None:
    rule = parse({"all": [{"any": towns("eq", "Bath", "York")}, {"field": "name", "op": "exists"}]})

    assert folded(rule) == All((town("in", "Bath", "York"), Leaf(field="name", op="exists")))


def test_everybody_stays_everybody() -> None:
    assert folded(All(())) == All(())


@pytest.mark.parametrize("group", ["any", "all"])
def test_what_comes_after_a_group_is_kept(group: str) -> None:
    other = {"not": {"field": "name", "op": "exists"}}
    rule = parse({group: [other, {"field": "tags", "op": "exists"}]})

    assert folded(rule) == rule


def test_the_opposite_of_a_comparison() -> None:
    assert opposite(town("not_in", "Bath", exact=True)) == town("in", "Bath", exact=True)
    assert opposite(town("in", "Bath")) is None
