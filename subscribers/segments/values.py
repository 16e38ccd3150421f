"""The values of comparisons: checked so that no rule can make the database raise an error later."""

import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from subscribers.segments.rule import (
    ATTRIBUTE_PREFIX,
    MAX_DAYS,
    MAX_NUMBER,
    MAX_TEXT,
    MAX_VALUES,
    ORDER,
    RuleError,
    Scalar,
    Value,
)

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def parse_value(value: object, field: str, op: str, path: str) -> Value:
    """The value of a comparison. Raises RuleError."""
    if field == "subscribed_at":
        return _days(value, path) if op == "within_days" else _moment(value, op, path)
    if field == "tags":
        return _list(value, path, typed=False)
    typed = field.startswith(ATTRIBUTE_PREFIX)
    if op in {"in", "not_in"}:
        return _list(value, path, typed=typed)
    if op in {"contains", "starts_with"}:
        text = _text(value, path)
        if not text:
            raise RuleError(path, "an empty text is in every text; write what to look for.")
        return text
    if op in ORDER:
        return _ordered(value, path)
    return _scalar(value, path, typed=typed)


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


def _list(value: object, path: str, *, typed: bool) -> tuple[Scalar, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise RuleError(path, f"{value!r} is not a list.")
    if not 0 < len(value) <= MAX_VALUES:
        raise RuleError(path, f"a list of {len(value)}; write 1 to {MAX_VALUES} values.")
    return tuple(_scalar(item, f"{path}[{index}]", typed=typed) for index, item in enumerate(value))


def _days(value: object, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_DAYS:
        raise RuleError(path, f"{value!r} is not a number of days from 1 to {MAX_DAYS}.")
    return value


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
