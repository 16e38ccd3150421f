"""One comparison of a text or an attribute, as SQL."""

import re
from collections.abc import Sequence

from subscribers.segments.readings import As, Readings
from subscribers.segments.rule import COMING_DAYS, DATE_ORDER, LIKENESS, ORDER, Leaf, Value
from subscribers.sql import SqlCondition, join

_SIGNS = {
    "gt": ">",
    "gte": ">=",
    "lt": "<",
    "lte": "<=",
    "before": "<",
    "after": ">",
    "on_or_before": "<=",
    "on_or_after": ">=",
}
_TODAY = "(now() AT TIME ZONE 'UTC')::date"
_DAYS_TEXT = "to_char({day}, 'YYYY-MM-DD')"
#: Months and days from today on; 29 February comes round on the 28th where the year has no 29th.
_MONTHS_AND_DAYS = f"""ARRAY(
    SELECT to_char(day, 'MM-DD') FROM generate_series({_TODAY}, {_TODAY} + %s::int, interval '1 day') AS day
    UNION ALL
    SELECT '02-29' FROM generate_series({_TODAY}, {_TODAY} + %s::int, interval '1 day') AS day
     WHERE to_char(day, 'MM-DD') = '02-28' AND to_char(day + interval '1 day', 'MM-DD') <> '02-29')"""  # noqa: S608 - made of constants


def text_field(leaf: Leaf, readings: Readings) -> SqlCondition:
    """A comparison of a column of the reader's."""
    if leaf.op == "exists":
        return SqlCondition(f"s.{leaf.field} <> ''")
    return _compared(leaf, readings.read(leaf.field, As.TEXT if leaf.exact else As.FOLDED))


def text(leaf: Leaf, column: str) -> SqlCondition:
    """A comparison of the text in a column of another table."""
    if leaf.op == "exists":
        return SqlCondition(f"{column} <> ''")
    return _compared(leaf, SqlCondition(column if leaf.exact else f"lower({column})"))


def attribute(leaf: Leaf, readings: Readings) -> SqlCondition:
    """A comparison of an attribute; NULL where it is missing or of another type."""
    if leaf.op == "exists":
        return join("", [readings.read(leaf.field, As.ANYTHING), SqlCondition(" <> ''")])
    if leaf.op in {"eq", "in"}:
        return _equals_any(leaf, leaf.values, readings)
    if leaf.op in LIKENESS:
        return _like(leaf, readings)
    if leaf.op in (*DATE_ORDER, "within_days", *COMING_DAYS):
        return _dated(leaf, readings)
    return _ordered(leaf, readings)


def _compared(leaf: Leaf, read: SqlCondition) -> SqlCondition:
    """A text with one of the values, or like one of them."""
    values = [str(value) for value in leaf.values]
    if leaf.op in LIKENESS:
        return _like_any(leaf.op, read, values, exact=leaf.exact)
    return join("", [read, SqlCondition(" = ANY("), _array(values, exact=leaf.exact), SqlCondition(")")])


def _like(leaf: Leaf, readings: Readings) -> SqlCondition:
    compared = _compared(leaf, readings.read(leaf.field, As.TEXT if leaf.exact else As.FOLDED))
    if leaf.op != "contains":
        return compared
    items = readings.read(leaf.field, As.ITEMS if leaf.exact else As.FOLDED_ITEMS)
    values = [str(value) for value in leaf.values]
    held = join("", [items, SqlCondition(" && "), _array(values, exact=leaf.exact)])
    return join("", [SqlCondition("COALESCE("), compared, SqlCondition(", "), held, SqlCondition(")")])


def _like_any(op: str, read: SqlCondition, values: Sequence[str], *, exact: bool) -> SqlCondition:
    """One value is looked for as it is; several by one expression, whose automaton costs the same however many they are."""
    bound = "%s::text" if exact else "lower(%s::text)"
    if len(values) == 1:
        test = {
            "contains": (f"strpos({{}}, {bound}) > 0", 1),
            "starts_with": (f"starts_with({{}}, {bound})", 1),
            "ends_with": (f"right({{}}, length({bound})) = {bound}", 2),
        }[op]
        sql, times = test
        return SqlCondition(sql.format(read.sql), (*read.params, *(values[0],) * times))
    any_of = "|".join(map(_escaped, values))
    pattern = {"contains": "(?:{})", "starts_with": "^(?:{})", "ends_with": "(?:{})$"}[op].format(any_of)
    return SqlCondition(f"{read.sql} ~ {bound}", (*read.params, pattern))


def _escaped(value: str) -> str:
    """The text as an expression that matches it alone (PostgreSQL's advanced regular expressions)."""
    return re.sub(r"([!-/:-@\[-^`{-~])", r"\\\1", value)


def _equals_any(leaf: Leaf, values: Sequence[object], readings: Readings) -> SqlCondition:
    """A text equals texts and the words of truth values, a number numbers."""
    parts = []
    texts = [value for value in values if isinstance(value, str)]
    if texts:
        read = readings.read(leaf.field, As.TEXT if leaf.exact else As.FOLDED)
        parts.append(join("", [read, SqlCondition(" = ANY("), _array(texts, exact=leaf.exact), SqlCondition(")")]))
    truths = ["true" if value else "false" for value in values if isinstance(value, bool)]
    if truths:
        read = readings.read(leaf.field, As.FOLDED)
        parts.append(join("", [read, SqlCondition(" = ANY(%s::text[])", (truths,))]))
    numbers = [_number(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if numbers:
        read = readings.read(leaf.field, As.NUMBER)
        parts.append(join("", [read, SqlCondition(" = ANY(%s::numeric[])", (numbers,))]))
    known = (join("", [SqlCondition("COALESCE("), part, SqlCondition(", FALSE)")]) for part in parts)
    return parts[0] if len(parts) == 1 else join(" OR ", known)


def _ordered(leaf: Leaf, readings: Readings) -> SqlCondition:
    """Numbers by size; texts by code point, whatever order the database's language has; from and to by what they are."""
    if leaf.op == "between":
        low, high = leaf.values
        if isinstance(low, str):
            return _between(readings.read(leaf.field, As.DAY), SqlCondition("%s::text", (low,)), "%s::text", (high,))
        number = readings.read(leaf.field, As.NUMBER)
        return _between(number, SqlCondition("%s::numeric", (_number(low),)), "%s::numeric", (_number(high),))
    assert leaf.op in ORDER
    if isinstance(leaf.value, str):
        read = readings.read(leaf.field, As.TEXT)
        return join("", [read, SqlCondition(f' COLLATE "C" {_SIGNS[leaf.op]} %s::text', (leaf.value,))])
    read = readings.read(leaf.field, As.NUMBER)
    return join("", [read, SqlCondition(f" {_SIGNS[leaf.op]} %s::numeric", (_number(leaf.value),))])


def _dated(leaf: Leaf, readings: Readings) -> SqlCondition:
    """Days as ISO 8601 writes them: in that order they are texts."""
    read = readings.read(leaf.field, As.DAY)
    if leaf.op in DATE_ORDER:
        return join("", [read, SqlCondition(f' {_SIGNS[leaf.op]} %s::text COLLATE "C"', (leaf.value,))])
    if leaf.op == "anniversary_in_days":
        return join(
            "",
            [SqlCondition("substring("), read, SqlCondition(f" FROM 6) = ANY({_MONTHS_AND_DAYS})", (leaf.value,) * 2)],
        )
    first, last = (f"{_TODAY} - %s::int", _TODAY) if leaf.op == "within_days" else (_TODAY, f"{_TODAY} + %s::int")
    low, high = _DAYS_TEXT.format(day=first), _DAYS_TEXT.format(day=last)
    return _between(
        read,
        SqlCondition(low, (leaf.value,) if "%s" in low else ()),
        high,
        (leaf.value,) if "%s" in high else (),
    )


def _between(read: SqlCondition, low: SqlCondition, high: str, params: tuple[object, ...]) -> SqlCondition:
    return join("", [read, SqlCondition(" BETWEEN "), low, SqlCondition(f" AND {high}", params)])


def _array(values: Sequence[str], *, exact: bool) -> SqlCondition:
    """The values, folded by the database as it folds what it compares them with."""
    if exact:
        return SqlCondition("%s::text[]", (list(values),))
    return SqlCondition(f"ARRAY[{', '.join(['lower(%s::text)'] * len(values))}]", tuple(values))


def _number(value: Value | object) -> str:
    """As PostgreSQL reads it: repr() of a float is its shortest exact text, and 1e22 is good numeric input."""
    return repr(value)
