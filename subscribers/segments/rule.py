"""The rule tree and what it means.

A rule is one of ``{"all": [rules]}``, ``{"any": [rules]}``, ``{"not": rule}`` or a comparison
``{"field": …, "op": …, "value": …}``. Every rule is either true or false of a subscriber, never unknown, so ``not`` is the
exact complement; the operators of `COMPLEMENTS` are the exact opposites of others and so hold for a reader of whom nothing is
known. ``{"all": []}`` is everybody; an empty ``any`` is refused.

- ``email``, ``language``, ``name``, ``timezone``: text, compared without case. Empty = missing.
- ``attributes.<key>``: everything after the first dot is the key, further dots included. null and "" = missing.
  The type of the rule's value decides how an attribute is read, for attributes imported from CSV are text:
  a text value compares with the attribute as text (42 reads "42", true reads "true"), without case; a number compares with
  attributes that are numbers or read exactly as one ("42", "-1.5"; at most 200 characters); true and false
  with booleans or those words. What cannot be read that way is unequal, and neither greater nor less. Text is ordered by code
  point. ``contains`` is true of a text that holds the value and of a list that has it
  as an element; otherwise lists and objects only exist. The operators of dates read an attribute that begins with an ISO date
  ("2026-01-31", "2026-01-31T09:00+08:00") as that day; ``within_days`` is true of today and the n days before it,
  ``in_next_days`` of today and the n days after it, ``anniversary_in_days`` where the month and day come round in those
  (29 February on the 28th where there is no 29th). Today is the day in UTC.
- ``"exact": true`` beside an operator of text compares with case.
- ``between`` takes two numbers, or two dates, and includes both.
- ``tags``: ``has_any``, ``has_all``, ``has_none`` of a list of tags, compared exactly. ``lists``: the same of the slugs of lists
  of the publication on which the reader is active.
- ``status``: some subscription on the send's lists is ``pending``, ``active`` or ``unsubscribed``.
- ``tracking``: what the reader answered: ``unknown``, ``granted`` or ``denied``.
- ``signup_source``: text; some consent was given on the send's lists that came from there (an import's file, a form).
- ``subscribed_at``: true when some subscription on the send's lists, whatever its status, has such a date; ``created_at``: when
  the reader became known here. A date is the whole day in UTC, a datetime without an offset is UTC; ``within_days`` n = the
  last n × 24 hours.
- ``received``, ``opened``, ``clicked``: of the publication's mails; what machines opened and clicked counts for nobody. ``ever``;
  ``within_days`` n = a mail that was sent within the last n × 24 hours; ``within_editions`` n = one of the last n editions
  sent; ``never`` and the two with ``not_`` are their opposites. ``clicked_link``: text; the address of a link that the reader followed.
  ``clicked_story``: ``has_any`` or ``has_none`` of numbers of stories, ``clicked_topic`` of topics: a link to the story's source.
- ``segment``: ``in`` or ``not_in`` the publication's segments of these slugs (`subscribers.segments.nesting`).
"""

from dataclasses import dataclass
from datetime import date, datetime

from newsdesk.core.errors import InputError

Scalar = str | int | float | bool
Value = Scalar | date | datetime | tuple[Scalar | date, ...] | None


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
    #: Text is compared with case.
    exact: bool = False

    @property
    def key(self) -> str:
        """The attribute's key; only for attributes."""
        return self.field.removeprefix(ATTRIBUTE_PREFIX)

    @property
    def values(self) -> tuple[Scalar | date, ...]:
        """What is compared with, one or several; () for the operators that take no value."""
        if self.value is None:
            return ()
        return self.value if isinstance(self.value, tuple) else (self.value,)


ATTRIBUTE_PREFIX = "attributes."
TEXT_FIELDS = ("email", "name", "language", "timezone")
#: Text that is not a column of the subscriber's.
TEXTS_ELSEWHERE = ("signup_source", "clicked_link")
MEMBERSHIPS = ("tags", "lists")
DATE_FIELDS = ("subscribed_at", "created_at")
#: What the provider reported about the publication's mails (`subscribers.segments.engagement`).
ACTS = ("received", "opened", "clicked")
CLICKED_ON = ("clicked_story", "clicked_topic")
FIELDS = (
    *TEXT_FIELDS,
    *MEMBERSHIPS,
    "status",
    "tracking",
    *DATE_FIELDS,
    *TEXTS_ELSEWHERE,
    *ACTS,
    *CLICKED_ON,
    "segment",
)

PRESENCE = ("exists", "missing")
ORDER = ("gt", "gte", "lt", "lte")
EQUALITY = ("eq", "ne", "in", "not_in")
LIKENESS = ("contains", "starts_with", "ends_with")
TEXT_OPS = (*EQUALITY, *LIKENESS, *PRESENCE)
DATE_ORDER = ("before", "after", "on_or_before", "on_or_after")
COMING_DAYS = ("in_next_days", "anniversary_in_days")
ATTRIBUTE_OPS = (*TEXT_OPS, *ORDER, "between", *DATE_ORDER, "within_days", *COMING_DAYS)
MEMBERSHIP_OPS = ("has_any", "has_all", "has_none", *PRESENCE)
DATE_OPS = (*DATE_ORDER, "between", "within_days")
ACT_OPS = ("ever", "never", "within_days", "not_within_days", "within_editions", "not_within_editions")
#: Operators whose value is a list.
LISTED = ("in", "not_in", "has_any", "has_all", "has_none")
#: Operators that take no value.
BARE = (*PRESENCE, "ever", "never")
#: Each is true exactly where the other is false.
COMPLEMENTS = {
    "ne": "eq",
    "not_in": "in",
    "missing": "exists",
    "has_none": "has_any",
    "never": "ever",
    "not_within_days": "within_days",
    "not_within_editions": "within_editions",
}
STATUSES = ("pending", "active", "unsubscribed")
#: What a reader answered.
TRACKING = ("unknown", "granted", "denied")
#: Fields that hold one of a few words.
WORDS = {"status": STATUSES, "tracking": TRACKING}

MAX_DEPTH = 10
MAX_LEAVES = 200
MAX_VALUES = 1000
MAX_TEXT = 1000
MAX_DAYS = 36_500
MAX_EDITIONS = 1000
#: Numbers of a rule stay far inside what PostgreSQL's numeric and our reading of text can hold.
MAX_NUMBER = 10**100
#: The largest number of a story: a bigint.
MAX_STORY = 2**63 - 1

_OPS = {
    **dict.fromkeys((*TEXT_FIELDS, *TEXTS_ELSEWHERE), TEXT_OPS),
    **dict.fromkeys(MEMBERSHIPS, MEMBERSHIP_OPS),
    **dict.fromkeys(DATE_FIELDS, DATE_OPS),
    **dict.fromkeys(ACTS, ACT_OPS),
    **dict.fromkeys(CLICKED_ON, ("has_any", "has_none")),
    **dict.fromkeys(WORDS, EQUALITY),
    "segment": ("in", "not_in"),
}


def ops_of(field: str) -> tuple[str, ...]:
    """The operators of a field of `FIELDS` or of an attribute."""
    return ATTRIBUTE_OPS if field.startswith(ATTRIBUTE_PREFIX) else _OPS[field]
