"""How often a condition looks into a reader's attributes: once where a rule asks often, not at all where no key is there."""

from typing import Any

import pytest

from subscribers.segments import RuleError, Scope, condition, parse

SCOPE = Scope(publication_id=1, list_ids=[1])
LIKE = [{"field": "attributes.town", "op": op, "value": "a"} for op in ("starts_with", "ends_with", "eq")]


def sql(rule: dict[str, Any]) -> str:
    compiled = condition(parse(rule), SCOPE)
    assert compiled.sql.count("%s") == len(compiled.params)
    return compiled.sql


def test_what_is_asked_three_times_is_read_once() -> None:
    assert sql({"any": LIKE}).count("->> %s::text") == 1
    assert "once.c0" in sql({"any": LIKE})


def test_what_is_asked_twice_is_read_in_place() -> None:
    assert "once" not in sql({"any": LIKE[:2]})
    assert sql({"any": LIKE[:2]}).count("->> %s::text") == 2


def keys(count: int, op: str = "eq") -> list[dict[str, Any]]:
    return [{"field": f"attributes.key{number}", "op": op, "value": "a"} for number in range(count)]


@pytest.mark.parametrize(
    ("rule", "asked"),
    [
        ({"any": keys(8)}, True),
        ({"any": keys(7)}, False),
        # Whoever lacks the attribute belongs to these.
        ({"any": keys(8, "ne")}, False),
        ({"any": [*keys(8), {"field": "name", "op": "exists"}]}, False),
        ({"all": keys(8)}, False),
    ],
)
def test_readers_without_any_of_many_keys_are_not_asked_further(rule: dict[str, Any], asked: bool) -> None:
    assert ("jsonb_exists_any" in sql(rule)) is asked


def test_a_rule_that_names_segments_is_expanded_first() -> None:
    with pytest.raises(RuleError, match="expanded"):
        sql({"field": "segment", "op": "in", "value": ["vip"]})
