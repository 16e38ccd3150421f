"""The rule tree and what it means.

A rule is one of ``{"all": [rules]}``, ``{"any": [rules]}``, ``{"not": rule}`` or a comparison
``{"field": …, "op": …, "value": …}``. Every rule is either true or false of a subscriber, never unknown, so ``not`` is the
exact complement; ``ne``, ``not_in``, ``missing`` and ``has_none`` are the complements of ``eq``, ``in``, ``exists`` and
``has_any`` and so hold for a reader without the attribute. ``{"all": []}`` is everybody; an empty ``any`` is refused.

- ``email``, ``language``: text, compared without case. ``name``, ``timezone``: text, compared exactly. Empty = missing.
- ``attributes.<key>``: everything after the first dot is the key, further dots included. null and "" = missing.
  The type of the rule's value decides how an attribute is read, for attributes imported from CSV are text:
  a text value compares with the attribute as text (42 reads "42", true reads "true"); a number compares with attributes
  that are numbers or read exactly as one ("42", "-1.5"; at most 200 characters); true and false
  with booleans or those words. What cannot be read that way is unequal, and neither greater nor less. Text is ordered by code
  point, so ISO dates compare as dates. ``contains`` is true of a text that holds the value and of a list that has it
  as an element; otherwise lists and objects only exist.
- ``tags``: ``has_any``, ``has_all``, ``has_none`` of a list of tags, compared exactly.
- ``subscribed_at``: true when some subscription on the send's lists, whatever its status, has such a date. A date is the
  whole day in UTC, a datetime without an offset is UTC; ``within_days`` n = the last n × 24 hours.
"""

from dataclasses import dataclass
from datetime import date, datetime

from newsdesk.core.errors import InputError

Scalar = str | int | float | bool
Value = Scalar | date | datetime | tuple[Scalar, ...] | None


class RuleError(InputError, ValueError):
    """A rule cannot be understood. `path` leads to the place, `message` says what is wrong there."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


@dataclass(frozen=True)
class Rule:
    """A node of the tree; one of the classes below."""


@dataclass(frozen=True)
class All(Rule):
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class AnyOf(Rule):
    #: Never empty.
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Not(Rule):
    rule: Rule


@dataclass(frozen=True, kw_only=True)
class Leaf(Rule):
    field: str
    op: str
    #: None for the operators that take no value; a tuple for those that take a list.
    value: Value = None

    @property
    def key(self) -> str:
        """The attribute's key; only for attributes."""
        return self.field.removeprefix(ATTRIBUTE_PREFIX)


ATTRIBUTE_PREFIX = "attributes."
TEXT_FIELDS = ("email", "name", "language", "timezone")
CASELESS_FIELDS = ("email", "language")
FIELDS = (*TEXT_FIELDS, "tags", "subscribed_at")

PRESENCE = ("exists", "missing")
ORDER = ("gt", "gte", "lt", "lte")
TEXT_OPS = ("eq", "ne", "in", "not_in", "contains", "starts_with", *PRESENCE)
ATTRIBUTE_OPS = (*TEXT_OPS, *ORDER)
TAG_OPS = ("has_any", "has_all", "has_none", *PRESENCE)
DATE_OPS = ("before", "after", "on_or_before", "on_or_after", "within_days")

MAX_DEPTH = 10
MAX_LEAVES = 200
MAX_VALUES = 1000
MAX_TEXT = 1000
MAX_DAYS = 36_500
#: Numbers of a rule stay far inside what PostgreSQL's numeric and our reading of text can hold.
MAX_NUMBER = 10**100


def ops_of(field: str) -> tuple[str, ...]:
    if field.startswith(ATTRIBUTE_PREFIX):
        return ATTRIBUTE_OPS
    if field == "tags":
        return TAG_OPS
    return DATE_OPS if field == "subscribed_at" else TEXT_OPS
