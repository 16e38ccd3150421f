"""The query language of the email activity feed, as far as a newsletter needs it.

    to_email="a@example.org" AND last_event_time BETWEEN TIMESTAMP "2026-01-01T00:00:00Z" AND TIMESTAMP "2026-01-02T00:00:00Z"

Comparisons (= != < > <= >=), BETWEEN and IN of the fields below, joined by AND, OR and parentheses. SendGrid's guide
"Getting Started with the Email Activity Feed API" lists what else there is: that is refused here.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

FIELDS = ("to_email", "from_email", "subject", "status", "msg_id", "last_event_time")
_TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|(!=|<=|>=|[=<>(),])|([A-Za-z_]+))')
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
#: Deeper parentheses are nobody's question.
_DEEPEST = 20


@dataclass(frozen=True)
class Query:
    """Which messages are asked for."""

    matches: Callable[[Mapping[str, Any]], bool]
    #: Whoever matches was written to at one of these, in lower case; None = anybody may match.
    addresses: frozenset[str] | None


def parsed(text: str) -> Query:
    """Raises ValueError in the API's words."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text.rstrip()):
            found = _TOKEN.match(text, at)
            if found is None:
                raise ValueError(f"invalid syntax: unexpected {text[at:].strip()[:20]!r}")
            quoted, symbol, word = found.groups()
            if quoted is not None:
                self._tokens.append(("value", re.sub(r"\\(.)", r"\1", quoted)))
            elif symbol is not None:
                self._tokens.append(("symbol", symbol))
            else:
                self._tokens.append(("word", word))
            at = found.end()
        self._at = self._depth = 0

    def whole(self) -> Query:
        query = self._any()
        if self._at < len(self._tokens):
            raise ValueError(f"invalid syntax: unexpected {self._tokens[self._at][1]!r}")
        return query

    def _any(self) -> Query:
        query = self._all()
        while self._takes("OR"):
            query = _either(query, self._all())
        return query

    def _all(self) -> Query:
        query = self._one()
        while self._takes("AND"):
            query = _both(query, self._one())
        return query

    def _one(self) -> Query:
        if self._takes("("):
            self._depth += 1
            if self._depth > _DEEPEST:
                raise ValueError("invalid syntax: too many parentheses")
            query = self._any()
            self._needs(")")
            self._depth -= 1
            return query
        return self._comparison()

    def _comparison(self) -> Query:
        kind, name = self._next()
        if kind != "word":
            raise ValueError(f"invalid syntax: {name!r} is not a field")
        if name not in FIELDS:
            raise ValueError(f"invalid syntax: '{name}' is not a known field")
        if self._takes("BETWEEN"):
            lower = _comparable(name, self._value())
            self._needs("AND")
            upper = _comparable(name, self._value())
            return Query(lambda message: lower <= _comparable(name, message[name]) <= upper, None)
        if self._takes("IN"):
            return _among(name, self._values())
        symbol = self._next()[1]
        if symbol not in _COMPARISONS:
            raise ValueError(f"invalid syntax: {symbol!r} is not a known operator")
        if symbol == "=":
            return _among(name, [self._value()])
        value = _comparable(name, self._value())
        return Query(lambda message: _COMPARISONS[symbol](_comparable(name, message[name]), value), None)

    def _values(self) -> list[str]:
        self._needs("(")
        values = [self._value()]
        while self._takes(","):
            values.append(self._value())
        self._needs(")")
        return values

    def _value(self) -> str:
        self._takes("TIMESTAMP")
        kind, text = self._next()
        if kind != "value":
            raise ValueError(f"invalid syntax: {text!r} stands where a value in double quotes is needed")
        return text

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise ValueError("invalid syntax: unexpected end of the query")
        self._at += 1
        return self._tokens[self._at - 1]

    def _takes(self, wanted: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at] in (("word", wanted), ("symbol", wanted))
        self._at += found
        return found

    def _needs(self, wanted: str) -> None:
        if not self._takes(wanted):
            raise ValueError(f"invalid syntax: {wanted} is missing")


def _comparable(name: str, value: str) -> Any:
    """Addresses without case, times as times. Raises ValueError."""
    if name == "last_event_time":
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"invalid syntax: {value!r} is not a timestamp") from None
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return value.lower() if name == "to_email" else value


def _among(name: str, values: list[str]) -> Query:
    wanted = frozenset(_comparable(name, value) for value in values)
    return Query(lambda message: _comparable(name, message[name]) in wanted, wanted if name == "to_email" else None)


def _both(first: Query, second: Query) -> Query:
    known = [each for each in (first.addresses, second.addresses) if each is not None]
    addresses = frozenset.intersection(*known) if known else None
    return Query(lambda message: first.matches(message) and second.matches(message), addresses)


def _either(first: Query, second: Query) -> Query:
    is_bounded = first.addresses is not None and second.addresses is not None
    addresses = (first.addresses or frozenset()) | (second.addresses or frozenset()) if is_bounded else None
    return Query(lambda message: first.matches(message) or second.matches(message), addresses)
