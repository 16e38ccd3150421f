from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.segments import All, AnyOf, Leaf, Not, RuleError, Scope, condition, expanded, parse

COUNTRY = {"field": "attributes.country", "op": "in", "value": ["SG", "MY"]}


def nested(levels: int) -> dict[str, Any]:
    rule: dict[str, Any] = dict(COUNTRY)
    for level in range(levels):
        rule = {"not": rule} if level % 2 else {"all": [rule]}
    return rule


def test_a_tree_is_read() -> None:
    tree = parse(
        {
            "all": [
                COUNTRY,
                {"any": [{"field": "tags", "op": "has_any", "value": ["vip"]}]},
                {"not": {"field": "subscribed_at", "op": "before", "value": "2026-01-31"}},
            ]
        }
    )

    assert tree == All(
        (
            Leaf(field="attributes.country", op="in", value=("SG", "MY")),
            AnyOf((Leaf(field="tags", op="has_any", value=("vip",)),)),
            Not(Leaf(field="subscribed_at", op="before", value=date(2026, 1, 31))),
        )
    )


def test_an_attribute_key_may_hold_dots() -> None:
    leaf = parse({"field": "attributes.address.city", "op": "exists"})

    assert isinstance(leaf, Leaf)
    assert leaf.key == "address.city"


def test_a_datetime_without_an_offset_is_utc() -> None:
    leaf = parse({"field": "subscribed_at", "op": "after", "value": "2026-01-31T09:00"})

    assert leaf == Leaf(field="subscribed_at", op="after", value=datetime(2026, 1, 31, 9, tzinfo=UTC))


@pytest.mark.parametrize(
    ("rule", "path", "message"),
    [
        (None, "rule", "null is not a rule"),
        (True, "rule", "true is not a rule"),
        (False, "rule", "false is not a rule"),
        ([], "rule", "a list is not a rule"),
        ({}, "rule", "'field' is missing"),
        ({"all": {}}, "all", "an object is not a list of rules"),
        ({"all": "x"}, "all", "'x' is not a list of rules"),
        ({"any": []}, "any", "an empty list matches nobody"),
        ({"all": [COUNTRY, 3]}, "all[1]", "3 is not a rule"),
        ({"all": [], "any": [COUNTRY]}, "rule", "'all' stands alone in its object; 'any' cannot be beside it"),
        ({"all": [], "field": "x"}, "rule", "'all' stands alone"),
        ({"not": COUNTRY, "field": "x"}, "rule", "'not' stands alone in its object; 'field' cannot be beside it"),
        ({"not": [COUNTRY]}, "not", "a list is not a rule"),
        ({"al": [COUNTRY]}, "al", "unknown key; known are field, op, value, exact, all, any, not. Did you mean 'all'?"),
        ({"field": "email", "op": "eq", "vlaue": "x"}, "vlaue", "Did you mean 'value'?"),
        ({"field": "email", "value": "x"}, "rule", "'op' is missing"),
        ({"field": "email", "op": "eq"}, "rule", "eq needs a value"),
        ({"field": "tags", "op": "exists", "value": True}, "value", "exists takes no value"),
        ({"field": 3, "op": "eq", "value": ""}, "field", "3 is not the name of a field"),
        ({"field": "Langauge", "op": "eq", "value": ""}, "field", "Did you mean 'language'?"),
        ({"field": "country", "op": "eq", "value": ""}, "field", "'country' is not one of: email, name"),
        ({"field": "attributes.", "op": "exists"}, "field", "write the attribute's name after the dot"),
        ({"field": "attributes.a\x00", "op": "exists"}, "field", "holds a character that no text can hold"),
        (
            {"all": [COUNTRY, {"any": [{"field": "email", "op": "foo", "value": ""}]}]},
            "all[1].any[0].op",
            "'foo' is not one of: eq, ne, in, not_in, contains, starts_with, ends_with, exists, missing.",
        ),
        ({"not": {"field": "tags", "op": "has_an", "value": []}}, "not.op", "Did you mean 'has_any'?"),
        ({"field": "email", "op": ["eq"], "value": ""}, "op", "a list is not one of: eq"),
        ({"field": "email", "op": "eq", "value": 3}, "value", "3 is not a text"),
        ({"field": "email", "op": "contains", "value": ""}, "value", "an empty text is in every text"),
        ({"field": "email", "op": "in", "value": "x"}, "value", "'x' is not a list"),
        ({"field": "email", "op": "in", "value": []}, "value", "a list of 0; write 1 to 1000 values"),
        ({"field": "email", "op": "in", "value": ["x"] * 1001}, "value", "a list of 1001"),
        ({"field": "attributes.a", "op": "in", "value": ["x", None]}, "value[1]", "None is not a text, a number"),
        ({"field": "attributes.a", "op": "eq", "value": {}}, "value", "{} is not a text, a number, true or false"),
        ({"field": "attributes.a", "op": "gt", "value": True}, "value", "true and false have no order"),
        ({"field": "attributes.a", "op": "gt", "value": "30"}, "value", "write 30 without quotes"),
        ({"field": "attributes.a", "op": "gt", "value": float("nan")}, "value", "a number of that size"),
        ({"field": "attributes.a", "op": "gt", "value": 10**100}, "value", "a number of that size"),
        ({"field": "attributes.a", "op": "eq", "value": "\ud800"}, "value", "half of a surrogate pair"),
        ({"field": "attributes.a", "op": "eq", "value": "x" * 1001}, "value", "longer than 1000 characters"),
        ({"field": "tags", "op": "has_any", "value": ["x", 3]}, "value[1]", "3 is not a text"),
        ({"field": "subscribed_at", "op": "before", "value": "31/01/2026"}, "value", "is not a date such as"),
        ({"field": "subscribed_at", "op": "after", "value": "9999-12-31"}, "value", "9999-12-31 is too far away"),
        ({"field": "subscribed_at", "op": "before", "value": "0001-01-01T00:00+14:00"}, "value", "is not a date"),
        ({"field": "subscribed_at", "op": "within_days", "value": 0}, "value", "is not a number of days"),
        ({"field": "subscribed_at", "op": "within_days", "value": True}, "value", "True is not a number of days"),
        (
            {"field": "subscribed_at", "op": "between", "value": ["2026-01-02", "2026-01-01"]},
            "value",
            "the smaller one first",
        ),
        ({"field": "subscribed_at", "op": "between", "value": ["2026-01-02"]}, "value", "write two values"),
        (
            {"field": "subscribed_at", "op": "between", "value": ["2026-01-02", "9999-12-31"]},
            "value[1]",
            "too far away",
        ),
        ({"field": "attributes.a", "op": "between", "value": [1, "x"]}, "value[1]", "'x' is not a number"),
        ({"field": "attributes.a", "op": "before", "value": "2026-1-1"}, "value", "is not a date such as 2026-01-31."),
        ({"field": "attributes.a", "op": "anniversary_in_days", "value": -1}, "value", "days from 0 to"),
        ({"field": "opened", "op": "within_editions", "value": 0}, "value", "editions from 1 to 1000"),
        ({"field": "opened", "op": "never", "value": 3}, "value", "never takes no value"),
        ({"field": "clicked_story", "op": "has_any", "value": ["7"]}, "value[0]", "'7' is not the number of a story"),
        ({"field": "status", "op": "eq", "value": "gone"}, "value", "'gone' is not one of: pending, active"),
        ({"field": "name", "op": "eq", "value": "x", "exact": 1}, "exact", "1 is not true or false"),
        ({"field": "tags", "op": "has_any", "value": ["x"], "exact": True}, "exact", "tags has_any compares no text"),
        ({"field": "status", "op": "eq", "value": "active", "exact": True}, "exact", "status eq compares no text"),
        (
            {"field": "attributes.a", "op": "gt", "value": "x", "exact": True},
            "exact",
            "attributes.a gt compares no text",
        ),
        ({"field": "name", "op": "exists", "exact": True}, "exact", "name exists compares no text"),
        (nested(11), "all[0].not.all[0].not.all[0].not.all[0].not.all[0].not.all", "nested deeper than 10 levels"),
        ({"any": [COUNTRY] * 201}, "any[200]", "more than 200 comparisons"),
    ],
)
def test_an_error_names_the_path(rule: object, path: str, message: str) -> None:
    with pytest.raises(RuleError) as refusal:
        parse(rule)

    assert refusal.value.path == path
    assert message in refusal.value.message
    assert str(refusal.value) == f"{path}: {refusal.value.message}"


@pytest.mark.parametrize("field", ["name", "email", "signup_source", "clicked_link", "attributes.plan"])
@pytest.mark.parametrize("op", ["eq", "ne", "starts_with"])
def test_any_text_can_be_compared_with_its_case(field: str, op: str) -> None:
    assert parse({"field": field, "op": op, "value": "A", "exact": True}) == Leaf(
        field=field, op=op, value="A", exact=True
    )


def test_ten_levels_and_two_hundred_comparisons_are_fine() -> None:
    parse(nested(10))
    parse({"any": [COUNTRY] * 200})


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
words = st.sampled_from(["all", "any", "not", "field", "op", "value", "email", "tags", "eq", "in", "attributes.a"])


@given(
    st.recursive(
        values | words,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
        max_leaves=10,
    )
)
def test_anything_is_a_rule_or_a_rule_error(thing: object) -> None:
    try:
        rule = parse(expanded(thing, lambda slug: None))
    except RuleError:
        return
    compiled = condition(rule, Scope(publication_id=1, list_ids=[1]))
    assert compiled.sql.count("%s") == len(compiled.params)
