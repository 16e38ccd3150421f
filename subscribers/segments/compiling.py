"""A rule to one SQL condition over the alias ``s`` (subscribers_subscriber).

Every condition is true or false, never NULL: each comparison that could be unknown is wrapped in COALESCE.
"""

from collections.abc import Sequence
from datetime import datetime

from subscribers.segments.rule import ATTRIBUTE_PREFIX, CASELESS_FIELDS, All, AnyOf, Leaf, Not, Rule, Value
from subscribers.segments.values import day_bounds
from subscribers.sql import SqlCondition, join

TRUE = SqlCondition("TRUE")
_COMPLEMENTS = {"ne": "eq", "not_in": "in", "missing": "exists", "has_none": "has_any"}
_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
#: With a whole day, "after" begins where the day ends and "on or before" ends there.
_DAY_SIGNS = {"before": "<", "after": ">=", "on_or_before": "<", "on_or_after": ">="}
_INSTANT_SIGNS = {"before": "<", "after": ">", "on_or_before": "<=", "on_or_after": ">="}

_TEXT = "s.attributes ->> %s::text"
#: Lists and objects read as text too; asked last, so that only rows that would match pay for it.
_SCALAR = "jsonb_typeof(s.attributes -> %s::text) NOT IN ('object', 'array')"
#: A bounded repetition in the expression would cost five times as much.
_NUMBER = rf"CASE WHEN {_TEXT} ~ '^[+-]?[0-9]+(?:\.[0-9]+)?$' AND length({_TEXT}) <= 200 THEN ({_TEXT})::numeric END"


def condition(rule: Rule, *, list_ids: Sequence[int] | None) -> SqlCondition:
    """One boolean SQL expression, fully parameterised.

    `list_ids` are the lists whose subscription dates count; None = every list.
    """
    if isinstance(rule, All):
        return _group(" AND ", rule.rules, list_ids) if rule.rules else TRUE
    if isinstance(rule, AnyOf):
        return _group(" OR ", rule.rules, list_ids)
    if isinstance(rule, Not):
        return _not(condition(rule.rule, list_ids=list_ids))
    assert isinstance(rule, Leaf)
    if rule.op in _COMPLEMENTS:
        return _not(_leaf(Leaf(field=rule.field, op=_COMPLEMENTS[rule.op], value=rule.value), list_ids))
    return _leaf(rule, list_ids)


def _group(word: str, rules: Sequence[Rule], list_ids: Sequence[int] | None) -> SqlCondition:
    return _parens(join(word, (condition(child, list_ids=list_ids) for child in rules)))


def _not(inner: SqlCondition) -> SqlCondition:
    return SqlCondition(f"NOT {_parens(inner).sql}", inner.params)


def _parens(inner: SqlCondition) -> SqlCondition:
    return SqlCondition(f"({inner.sql})", inner.params)


def _known(inner: SqlCondition) -> SqlCondition:
    return SqlCondition(f"COALESCE({inner.sql}, FALSE)", inner.params)


def _leaf(leaf: Leaf, list_ids: Sequence[int] | None) -> SqlCondition:
    if leaf.field == "tags":
        return _tags(leaf)
    if leaf.field == "subscribed_at":
        return _subscribed(leaf, list_ids)
    if leaf.field.startswith(ATTRIBUTE_PREFIX):
        return _known(_attribute(leaf))
    return _text_field(leaf)


def _tags(leaf: Leaf) -> SqlCondition:
    if leaf.op == "exists":
        return SqlCondition("cardinality(s.tags) > 0")
    sign = "&&" if leaf.op == "has_any" else "@>"
    return SqlCondition(f"s.tags {sign} %s::varchar[]", (_texts(leaf),))


def _subscribed(leaf: Leaf, list_ids: Sequence[int] | None) -> SqlCondition:
    if leaf.op == "within_days":
        when = SqlCondition("n.subscribed_at > now() - make_interval(hours => %s)", (24 * _integer(leaf),))
    elif isinstance(leaf.value, datetime):
        when = SqlCondition(f"n.subscribed_at {_INSTANT_SIGNS[leaf.op]} %s::timestamptz", (leaf.value,))
    else:
        instant = day_bounds(leaf.value, leaf.op)  # type: ignore[arg-type]  # parsed as a date
        when = SqlCondition(f"n.subscribed_at {_DAY_SIGNS[leaf.op]} %s::timestamptz", (instant,))
    lists = (
        SqlCondition("") if list_ids is None else SqlCondition(" AND n.list_id = ANY(%s::bigint[])", (list(list_ids),))
    )
    head = SqlCondition("EXISTS (SELECT 1 FROM subscribers_subscription n WHERE n.subscriber_id = s.id AND ")
    return join("", [head, when, lists, SqlCondition(")")])


def _text_field(leaf: Leaf) -> SqlCondition:
    caseless = leaf.field in CASELESS_FIELDS
    column = f"lower(s.{leaf.field})" if caseless else f"s.{leaf.field}"
    if leaf.op == "exists":
        return SqlCondition(f"s.{leaf.field} <> ''")
    if leaf.op == "in":
        listed = [text.lower() for text in _texts(leaf)] if caseless else _texts(leaf)
        return SqlCondition(f"{column} = ANY(%s::text[])", (listed,))
    bound = "lower(%s::text)" if caseless else "%s::text"
    return SqlCondition(_text_test(leaf.op, column, bound), (leaf.value,))


def _text_test(op: str, text: str, bound: str) -> str:
    if op == "contains":
        return f"strpos({text}, {bound}) > 0"
    if op == "starts_with":
        return f"starts_with({text}, {bound})"
    return f"{text} = {bound}"


def _attribute(leaf: Leaf) -> SqlCondition:
    if leaf.op == "exists":
        return SqlCondition(f"{_TEXT} <> ''", (leaf.key,))
    if leaf.op == "in":
        return _equals_any(leaf.key, leaf.value)
    if leaf.op == "eq":
        return _equals_any(leaf.key, (leaf.value,))
    if leaf.op in _SIGNS:
        return _ordered(leaf.op, leaf.key, leaf.value)
    text = _scalar(_text_test(leaf.op, f"({_TEXT})", "%s::text"), leaf.key, leaf.value)
    if leaf.op != "contains":
        return text
    element = "jsonb_typeof(s.attributes -> %s::text) = 'array' AND jsonb_exists(s.attributes -> %s::text, %s::text)"
    return join(" OR ", [_parens(text), SqlCondition(f"({element})", (leaf.key, leaf.key, leaf.value))])


def _scalar(test: str, key: str, value: object) -> SqlCondition:
    return SqlCondition(f"{test} AND {_SCALAR}", (key, value, key))


def _equals_any(key: str, values: object) -> SqlCondition:
    assert isinstance(values, tuple)
    parts = []
    texts = [value for value in values if isinstance(value, str)]
    if texts:
        parts.append(_parens(_scalar(f"({_TEXT}) = ANY(%s::text[])", key, texts)))
    truths = ["true" if value else "false" for value in values if isinstance(value, bool)]
    if truths:
        parts.append(SqlCondition(f"lower({_TEXT}) = ANY(%s::text[])", (key, truths)))
    numbers = [_number(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if numbers:
        parts.append(SqlCondition(f"{_NUMBER} = ANY(%s::numeric[])", (key, key, key, numbers)))
    return join(" OR ", parts)


def _ordered(op: str, key: str, value: Value) -> SqlCondition:
    if isinstance(value, str):
        return _scalar(f'({_TEXT}) COLLATE "C" {_SIGNS[op]} %s::text', key, value)
    return SqlCondition(f"{_NUMBER} {_SIGNS[op]} %s::numeric", (key, key, key, _number(value)))


def _number(value: object) -> str:
    """As PostgreSQL reads it: repr() of a float is its shortest exact text, and 1e22 is good numeric input."""
    return repr(value)


def _texts(leaf: Leaf) -> list[str]:
    assert isinstance(leaf.value, tuple)
    return [str(value) for value in leaf.value]


def _integer(leaf: Leaf) -> int:
    assert isinstance(leaf.value, int)
    return leaf.value
