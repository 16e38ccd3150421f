"""The values of comparisons: checked so that no rule can make the database raise an error later."""

import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from subscribers.segments.rule import (
    ATTRIBUTE_PREFIX,
    COMING_DAYS,
    DATE_FIELDS,
    DATE_ORDER,
    LIKENESS,
    LISTED,
    MAX_DAYS,
    MAX_EDITIONS,
    MAX_NUMBER,
    MAX_STORY,
    MAX_TEXT,
    MAX_VALUES,
    ORDER,
    WORDS,
    RuleError,
    Scalar,
    Value,
)

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def parse_value(value: object, field: str, op: str, path: str) -> Value:  # noqa: PLR0911 - one line for each kind
    """The value of a comparison. Raises RuleError."""
    if op in {"within_days", "not_within_days", *COMING_DAYS}:
        return _count(value, path, unit="days", least=0 if op in COMING_DAYS else 1, most=MAX_DAYS)
    if op in {"within_editions", "not_within_editions"}:
        return _count(value, path, unit="editions", least=1, most=MAX_EDITIONS)
    if op == "between":
        return _range(value, field, path)
    if op in DATE_ORDER:
        return _moment(value, op, path) if field in DATE_FIELDS else _day(value, path)
    if op in LISTED:
        return tuple(_listed(item, field, place) for item, place in _list(value, path))
    if op in LIKENESS:
        return _part(value, path)
    if op in ORDER:
        return _ordered(value, path)
    return _listed(value, field, path)


def checked_text(text: str, path: str) -> str:
    """The text, if PostgreSQL can hold it. Raises RuleError."""
    if len(text) > MAX_TEXT:
        raise RuleError(path, f"longer than {MAX_TEXT} characters.")
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise RuleError(path, "holds a character that no text can hold (NUL or half of a surrogate pair).")
    return text


def _text(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise RuleError(path, f"{value!r} is not a text.")
    return checked_text(value, path)


def _part(value: object, path: str) -> str:
    text = _text(value, path)
    if not text:
        raise RuleError(path, "an empty text is in every text; write what to look for.")
    return text


def _listed(value: object, field: str, path: str) -> Scalar:
    """One value that a field may equal."""
    if field == "clicked_story":
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_STORY:
            raise RuleError(path, f"{value!r} is not the number of a story.")
        return value
    if field in WORDS:
        text = _text(value, path)
        if text not in WORDS[field]:
            raise RuleError(path, f"{text!r} is not one of: {', '.join(WORDS[field])}.")
        return text
    return _scalar(value, path, typed=field.startswith(ATTRIBUTE_PREFIX))


def _scalar(value: object, path: str, *, typed: bool) -> Scalar:
    if not typed or isinstance(value, str):
        return _text(value, path)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if not math.isfinite(value) or abs(value) >= MAX_NUMBER:
            raise RuleError(path, "a number of that size cannot be compared.")
        return value
    raise RuleError(path, f"{value!r} is not a text, a number, true or false.")


def _ordered(value: object, path: str) -> Scalar:
    scalar = _scalar(value, path, typed=True)
    if isinstance(scalar, bool):
        raise RuleError(path, "true and false have no order.")
    if isinstance(scalar, str) and _NUMBER.fullmatch(scalar):
        raise RuleError(path, f"a number in quotes would be compared letter by letter; write {scalar} without quotes.")
    return scalar


def _list(value: object, path: str) -> list[tuple[object, str]]:
    """The items of a list, each with its path."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise RuleError(path, f"{value!r} is not a list.")
    if not 0 < len(value) <= MAX_VALUES:
        raise RuleError(path, f"a list of {len(value)}; write 1 to {MAX_VALUES} values.")
    return [(item, f"{path}[{index}]") for index, item in enumerate(value)]


def _range(value: object, field: str, path: str) -> tuple[Scalar, Scalar]:
    """Two numbers, or two dates as ISO 8601 writes them, the smaller one first."""
    pair = _list(value, path)
    if len(pair) != 2:
        raise RuleError(path, "write two values: the least and the greatest.")
    (low, at_low), (high, at_high) = pair
    least: Scalar
    greatest: Scalar
    if field.startswith(ATTRIBUTE_PREFIX) and not isinstance(low, str):
        least, greatest = _number(low, at_low), _number(high, at_high)
        backwards = least > greatest
    else:
        least, greatest = _day(low, at_low), _day(high, at_high)
        backwards = least > greatest
        if field in DATE_FIELDS:
            day_bounds(date.fromisoformat(greatest), "on_or_before", at_high)
    if backwards:
        raise RuleError(path, f"{greatest!r} is smaller than {least!r}; write the smaller one first.")
    return least, greatest


def _number(value: object, path: str) -> int | float:
    scalar = _scalar(value, path, typed=True)
    if isinstance(scalar, str | bool):
        raise RuleError(path, f"{value!r} is not a number.")
    return scalar


def _count(value: object, path: str, *, unit: str, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise RuleError(path, f"{value!r} is not a number of {unit} from {least} to {most}.")
    return value


def _day(value: object, path: str) -> str:
    text = _text(value, path)
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise RuleError(path, f"{text!r} is not a date such as 2026-01-31.")


def _moment(value: object, op: str, path: str) -> date | datetime:
    text = _text(value, path)
    try:
        moment = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        day_bounds(moment, op, path)
        return moment
    try:
        instant = datetime.fromisoformat(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise RuleError(path, f"{text!r} is not a date such as 2026-01-31 or 2026-01-31T09:00+08:00.") from error


def day_bounds(day: date, op: str, path: str = "value") -> datetime:
    """The instant that `op` compares a whole day with: its beginning or, for after and on_or_before, its end."""
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    try:
        return begin + timedelta(days=1) if op in {"after", "on_or_before"} else begin
    except OverflowError as error:
        raise RuleError(path, f"{day.isoformat()} is too far away.") from error
