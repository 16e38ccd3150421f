"""A rule in English words, for whoever is about to mail its readers."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

from babel import Locale
from babel.dates import format_date

from subscribers.segments.rule import (
    ACTS,
    ATTRIBUTE_PREFIX,
    CLICKED_ON,
    EQUALITY,
    MEMBERSHIPS,
    All,
    AnyOf,
    Leaf,
    Not,
    Rule,
)

_ENGLISH = Locale("en")
_COUNTRY_KEYS = ("country", "country_code", "countrycode")
_NAMES = {
    "email": "address",
    "name": "name",
    "language": "language",
    "timezone": "timezone",
    "tracking": "answer on tracking",
    "signup_source": "source of the sign-up",
    "clicked_link": "address of a followed link",
}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_SIGNS = {"gt": "more than", "gte": "at least", "lt": "less than", "lte": "at most"}
_LIKE = {"contains": "contains", "starts_with": "starts with", "ends_with": "ends with"}
_DAYS = {"before": "before", "after": "after", "on_or_before": "on or before", "on_or_after": "on or after"}
_MOMENTS = {"subscribed_at": "subscribed", "created_at": "became known"}


def in_words(rule: Rule) -> str:
    """One sentence without a full stop, such as "In Singapore or Malaysia, and opened one of the last four editions"."""
    words = _said(rule)
    return words[0].upper() + words[1:]


def _said(rule: Rule) -> str:
    if isinstance(rule, All):
        return _group(rule.rules, "and") if rule.rules else "everybody"
    if isinstance(rule, AnyOf):
        return _group(rule.rules, "or")
    if isinstance(rule, Not):
        inner = _said(rule.rule)
        return f"not ({inner})"
    assert isinstance(rule, Leaf)
    return _leaf(rule)


def _group(rules: Sequence[Rule], word: str) -> str:
    if len(rules) == 1:
        return _said(rules[0])
    parts = [
        f"({_said(rule)})" if isinstance(rule, All | AnyOf) and len(rule.rules) > 1 else _said(rule) for rule in rules
    ]
    return f", {word} ".join(parts)


def _leaf(leaf: Leaf) -> str:
    if leaf.field.startswith(ATTRIBUTE_PREFIX):
        return _attribute(leaf)
    if leaf.field in _MOMENTS:
        return f"{_MOMENTS[leaf.field]} {_when(leaf)}"
    said = _SAID.get(leaf.field)
    return said(leaf) if said else _compared(leaf, _NAMES.get(leaf.field, leaf.field))


def _attribute(leaf: Leaf) -> str:
    if leaf.key.lower() not in _COUNTRY_KEYS or leaf.op not in EQUALITY:
        return _compared(leaf, leaf.key)
    places = _either([_place(value) for value in leaf.values])
    return f"not in {places}" if leaf.op in {"ne", "not_in"} else f"in {places}"


def _clicked(leaf: Leaf) -> str:
    what = "story" if leaf.field == "clicked_story" else "topic"
    did = "clicked" if leaf.op == "has_any" else "did not click"
    return f"{did} {what} {_either([_quoted(value) for value in leaf.values])}"


def _segment(leaf: Leaf) -> str:
    where = _either([_quoted(value) for value in leaf.values])
    return f"not in the segment {where}" if leaf.op == "not_in" else f"in the segment {where}"


def _compared(leaf: Leaf, name: str) -> str:
    values = [_quoted(value) for value in leaf.values]
    if leaf.op in {"exists", "missing"}:
        return f"{name} is {'set' if leaf.op == 'exists' else 'not set'}"
    if leaf.op in _LIKE:
        return f"{name} {_LIKE[leaf.op]} {_either(values)}"
    if leaf.op in _SIGNS:
        return f"{name} is {_SIGNS[leaf.op]} {values[0]}"
    if leaf.op in {"ne", "not_in"}:
        return f"{name} is not {_either(values)}"
    if leaf.op in {"eq", "in"}:
        return f"{name} is {_either(values)}"
    return f"{name} is {_when(leaf)}"


def _when(leaf: Leaf) -> str:
    if leaf.op == "between":
        low, high = (_day(value) for value in leaf.values)
        return f"between {low} and {high}"
    if leaf.op in _DAYS:
        return f"{_DAYS[leaf.op]} {_day(leaf.value)}"
    days = _count(leaf.value, "day")
    return {
        "within_days": f"in the last {days}",
        "in_next_days": f"in the next {days}",
        "anniversary_in_days": f"a day whose anniversary is in the next {days}",
    }[leaf.op]


def _act(leaf: Leaf) -> str:
    did = {"received": "received", "opened": "opened", "clicked": "clicked a link in"}[leaf.field]
    not_done = {"received": "did not receive", "opened": "did not open", "clicked": "clicked no link in"}[leaf.field]
    if leaf.op == "ever":
        return f"{did} some edition"
    if leaf.op == "never":
        return f"{not_done} any edition"
    verb = not_done if leaf.op.startswith("not_") else did
    if leaf.op.endswith("_days"):
        return f"{verb} {'any' if verb is not_done else 'an'} edition of the last {_count(leaf.value, 'day')}"
    if leaf.value == 1:
        return f"{verb} the last edition"
    return f"{verb} {'any' if verb is not_done else 'one'} of the last {_count(leaf.value, 'edition')}"


def _membership(leaf: Leaf) -> str:
    verb, one, several = ("has", "tag", "tags") if leaf.field == "tags" else ("is on", "list", "lists")
    values = [_quoted(value) for value in leaf.values]
    if leaf.op in {"exists", "missing"}:
        return f"{verb} {'some' if leaf.op == 'exists' else 'no'} {one}"
    if leaf.op == "has_none":
        return (
            f"{verb} none of the {several} {_all(values)}" if len(values) > 1 else f"{verb} not the {one} {values[0]}"
        )
    if leaf.op == "has_all" and len(values) > 1:
        return f"{verb} the {several} {_all(values)}"
    return f"{verb} the {one} {_either(values)}"


def _place(value: object) -> str:
    return _ENGLISH.territories.get(str(value).upper(), str(value)) if len(str(value)) == 2 else str(value)


def _quoted(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"“{value}”" if isinstance(value, str) else str(value)


def _day(value: object) -> str:
    if isinstance(value, datetime):
        return f"{format_date(value.date(), 'long', _ENGLISH)} {value:%H:%M} UTC"
    if isinstance(value, str):
        value = date.fromisoformat(value)
    return format_date(value, "long", _ENGLISH) if isinstance(value, date) else str(value)


def _count(value: object, unit: str) -> str:
    assert isinstance(value, int)
    number = _NUMBERS[value] if value < len(_NUMBERS) else str(value)
    return f"{number} {unit}{'' if value == 1 else 's'}"


def _either(values: Sequence[str]) -> str:
    return _listed(values, "or")


def _all(values: Sequence[str]) -> str:
    return _listed(values, "and")


def _listed(values: Sequence[str], word: str) -> str:
    most = 12
    shown = [*values[:most], f"{len(values) - most} others"] if len(values) > most + 1 else list(values)
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {word} {shown[-1]}"


_SAID: Mapping[str, Callable[[Leaf], str]] = {
    **dict.fromkeys(ACTS, _act),
    **dict.fromkeys(CLICKED_ON, _clicked),
    **dict.fromkeys(MEMBERSHIPS, _membership),
    "segment": _segment,
}
