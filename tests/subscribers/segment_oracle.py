"""What segment rules mean, told a second time: slowly, in Python. And readers and rules to try both on."""

import json
import operator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

Reader = dict[str, Any]
RuleJson = dict[str, Any]

NOW = datetime.now(UTC)
ORDER = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
DATE_SIGNS = {"before": "lt", "after": "gt", "on_or_before": "lte", "on_or_after": "gte"}
COMPLEMENT = {
    "ne": "eq",
    "not_in": "in",
    "missing": "exists",
    "has_none": "has_any",
    "never": "ever",
    "not_within_days": "within_days",
    "not_within_editions": "within_editions",
}
LIST_SLUGS = ("first", "second")
#: The publication's sends, the last first: days ago, and which edition. The last is another publication's.
SENDS = ((1, "third"), (2, "third"), (4, "second"), (9, "first"), (1, "elsewhere"))
ELSEWHERE = 4
URLS = ("https://news.example/a", "https://news.example/b", "https://shop.example/C?d=1")
#: Position in URLS of the source of each story, and its topics; rules count the stories from 1.
STORIES = ((0, "Culture, Media"), (1, "politics"), (1, ""))
#: What a delivery has seen: nothing, delivered, opened, clicked, bounced.
SEEN = {"": 0, "delivered": 2, "opened": 34, "clicked": 66, "bounced": 4, "dropped": 128}


def days_from_now(days: int) -> str:
    return (NOW.date() + timedelta(days=days)).isoformat()


TEXTS = [
    "",
    "SG",
    "sg",
    "true",
    "TRUE",
    "42",
    "42.0",
    "-1.5",
    "x4",
    "4 2",
    "[1]",
    '{"a": 1}',
    "é",
    "100%",
    "%s",
    "a|b.*",
]
DATES = ["2026-01-02", "2026-01-03T09:00:00+08:00", "2024-02-29", "2026-13-99", *map(days_from_now, (-3, -1, 0, 1, 3))]
NUMBERS = [0, 1, 42, -1.5, 42.0, 1e22, 7.25]
KEYS = ["a", "b.c", "with 'quote", "%s"]
TAGS = ["vip", "VIP", "été", "a,b"]
DAYS = ["2026-01-01", "2026-01-02", "2026-01-02T12:00", "2026-01-02T00:00:00+08:00", "2025-12-31T23:59:59Z"]
MOMENTS = [
    datetime(2025, 12, 31, 16, tzinfo=UTC),
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 2, 12, tzinfo=UTC),
    datetime(2026, 1, 3, tzinfo=UTC),
    NOW - timedelta(days=2, hours=12),
]
SOURCES = ["readers.csv", "READERS.csv", "form: /weekly/"]

texts = st.sampled_from(TEXTS)
scalars = texts | st.sampled_from(NUMBERS) | st.booleans() | st.sampled_from(DATES)
attribute_values = scalars | st.none() | st.lists(scalars, max_size=2) | st.just({"SG": 1})
plain = st.sampled_from(["SG", "en", "EN-gb", "", "Ada"])


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=1, max_size=3)


def pairs(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.tuples(values, values).map(sorted)


def text_values(values: st.SearchStrategy[Any], parts: st.SearchStrategy[str]) -> dict[str, Any]:
    return {
        **dict.fromkeys(("eq", "ne"), values),
        **dict.fromkeys(("in", "not_in"), some(values)),
        **dict.fromkeys(("contains", "starts_with", "ends_with"), parts.filter(bool)),
        **dict.fromkeys(("exists", "missing")),
    }


def member_values(values: st.SearchStrategy[str]) -> dict[str, Any]:
    return {**dict.fromkeys(("has_any", "has_all", "has_none"), some(values)), **dict.fromkeys(("exists", "missing"))}


def values_by_operator() -> dict[str, dict[str, Any]]:
    """By field and operator: values for it; None = it takes none. "attributes" stands for all of them."""
    words = plain | st.sampled_from(["r0@example.com", "R0@EXAMPLE.com", "r1@"])
    ordered = st.sampled_from(NUMBERS) | st.sampled_from(["SG", "", "2026-01-01", "é"])
    iso_days = st.sampled_from([day for day in DATES if len(day) == 10 and "13" not in day])
    days, editions = st.integers(1, 12), st.integers(1, 4)
    dates = {
        **dict.fromkeys(DATE_SIGNS, st.sampled_from(DAYS)),
        "between": pairs(st.sampled_from(["2025-12-31", "2026-01-01", "2026-01-02"])),
        "within_days": st.integers(1, 4),
    }
    acts = {
        **dict.fromkeys(("ever", "never")),
        **dict.fromkeys(("within_days", "not_within_days"), days),
        **dict.fromkeys(("within_editions", "not_within_editions"), editions),
    }
    stories, topics = some(st.integers(1, len(STORIES))), some(st.sampled_from(["media", "Politics", "?"]))
    statuses = st.sampled_from(["active", "pending", "unsubscribed"])
    answers = st.sampled_from(["unknown", "granted", "denied"])
    return {
        "attributes": {
            **text_values(scalars, texts),
            **dict.fromkeys(ORDER, ordered),
            "between": pairs(st.sampled_from(NUMBERS)) | pairs(iso_days),
            **dict.fromkeys(DATE_SIGNS, iso_days),
            "within_days": days,
            **dict.fromkeys(("in_next_days", "anniversary_in_days"), st.integers(0, 3)),
        },
        **dict.fromkeys(("name", "language", "timezone", "email"), text_values(words, words)),
        "signup_source": text_values(st.sampled_from(SOURCES), st.sampled_from(["READ", "form", ".csv"])),
        "clicked_link": text_values(
            st.sampled_from([*URLS, "https://news.example/A"]), st.sampled_from(["https://news", "/B", "d=1"])
        ),
        "tags": member_values(st.sampled_from(TAGS)),
        "lists": member_values(st.sampled_from([*LIST_SLUGS, "no"])),
        "tracking": {**dict.fromkeys(("eq", "ne"), answers), **dict.fromkeys(("in", "not_in"), some(answers))},
        "status": {**dict.fromkeys(("eq", "ne"), statuses), **dict.fromkeys(("in", "not_in"), some(statuses))},
        **dict.fromkeys(("subscribed_at", "created_at"), dates),
        **dict.fromkeys(("received", "opened", "clicked"), acts),
        "clicked_story": dict.fromkeys(("has_any", "has_none"), stories),
        "clicked_topic": dict.fromkeys(("has_any", "has_none"), topics),
    }


def leaf(field: str, op: str, values: st.SearchStrategy[Any] | None) -> st.SearchStrategy[RuleJson]:
    named = st.sampled_from([f"attributes.{key}" for key in KEYS]) if field == "attributes" else st.just(field)
    keys: dict[str, st.SearchStrategy[Any]] = {"field": named, "op": st.just(op)}
    if values is None:
        return st.fixed_dictionaries(keys)
    compares_text = "ends_with" in VALUES[field] and op in {
        "eq",
        "ne",
        "in",
        "not_in",
        "contains",
        "starts_with",
        "ends_with",
    }
    return st.fixed_dictionaries({**keys, "value": values}, optional={"exact": st.booleans()} if compares_text else {})


VALUES = values_by_operator()
leaves = st.sampled_from([(field, op) for field, ops in VALUES.items() for op in ops]).flatmap(
    lambda of: leaf(*of, VALUES[of[0]][of[1]])
)
rules = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, max_size=4)}),
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=4)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=6,
).filter(lambda rule: json.dumps(rule).count("{") < 12)
mails = st.fixed_dictionaries(
    {
        "submitted": st.booleans(),
        "failed": st.booleans(),
        "seen": st.sampled_from(sorted(SEEN)),
        #: Positions in URLS, and whether a machine followed it.
        "clicks": st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=2, unique=True),
    }
)
readers = st.fixed_dictionaries(
    {
        "name": plain,
        "language": st.sampled_from(["", "en", "EN-gb"]),
        "timezone": st.sampled_from(["", "Asia/Singapore"]),
        "tracking": st.sampled_from(["unknown", "granted", "denied"]),
        "attributes": st.dictionaries(st.sampled_from(KEYS), attribute_values),
        "tags": st.lists(st.sampled_from(TAGS), max_size=2),
        "created_at": st.sampled_from(MOMENTS),
        #: By the position of the list: when, and as what.
        "subscribed": st.dictionaries(
            st.integers(0, 1),
            st.tuples(st.sampled_from(MOMENTS), st.sampled_from(["active", "pending", "unsubscribed"])),
        ),
        #: By the position of the list: where a consent came from, and whether it was given.
        "consents": st.dictionaries(st.integers(0, 1), st.tuples(st.sampled_from(SOURCES), st.booleans())),
        "mails": st.dictionaries(st.integers(0, len(SENDS) - 1), mails, max_size=3),
    }
)


class Oracle:
    """Evaluates rules in Python. `lists` are the positions of the lists whose subscriptions count."""

    def __init__(self, reader: Reader, lists: tuple[int, ...]) -> None:
        self.reader = reader
        self.lists = lists

    def holds(self, rule: RuleJson) -> bool:
        if "all" in rule:
            return all(self.holds(child) for child in rule["all"])
        if "any" in rule:
            return any(self.holds(child) for child in rule["any"])
        if "not" in rule:
            return not self.holds(rule["not"])
        op = rule["op"]
        if op in COMPLEMENT:
            return not self.compare({**rule, "op": COMPLEMENT[op]})
        return self.compare(rule)

    def compare(self, rule: RuleJson) -> bool:  # noqa: PLR0911 - one line for each kind of field
        field, op, value = rule["field"], rule["op"], rule.get("value")
        fold = (lambda item: item) if rule.get("exact") else folded
        if field.startswith("attributes."):
            stored = self.reader["attributes"].get(field.removeprefix("attributes."))
            return attribute(stored, op, value, exact=bool(rule.get("exact")))
        if field in {"received", "opened", "clicked"}:
            return self.acted(field, op, value)
        if field in {"tags", "lists"}:
            return holds_of(op, set(self.reader["tags"]) if field == "tags" else self.active_lists(), value)
        if field == "status":
            statuses = {status for where, (_, status) in self.reader["subscribed"].items() if where in self.lists}
            return bool(statuses & set(value if op == "in" else [value]))
        if field == "tracking":
            return self.reader["tracking"] in (value if op == "in" else [value])
        if field in {"subscribed_at", "created_at"}:
            moments = [moment for where, (moment, _) in self.reader["subscribed"].items() if where in self.lists]
            return any(on_time(op, m, value) for m in (moments if field == "subscribed_at" else [self.reader[field]]))
        if field in {"clicked_story", "clicked_topic"}:
            return bool(self.followed() & sources(field, value))
        if field in {"signup_source", "clicked_link"}:
            stored_texts = self.signup_sources() if field == "signup_source" else self.followed()
            return any(text(fold(stored), op, fold(value)) for stored in stored_texts)
        return text(fold(self.reader[field]), op, fold(value))

    def active_lists(self) -> set[str]:
        return {LIST_SLUGS[where] for where, (_, status) in self.reader["subscribed"].items() if status == "active"}

    def signup_sources(self) -> set[str]:
        consents = self.reader["consents"].items()
        return {source for where, (source, given) in consents if given and where in self.lists}

    def followed(self) -> set[str]:
        mails_here = [mail for send, mail in self.reader["mails"].items() if send != ELSEWHERE]
        return {URLS[at] for mail in mails_here for at, machine in mail["clicks"] if not machine}

    def acted(self, field: str, op: str, value: Any) -> bool:
        asked = set(range(ELSEWHERE))
        if op == "within_days":
            asked = {at for at in asked if SENDS[at][0] < value}
        elif op == "within_editions":
            editions = list(dict.fromkeys(edition for _, edition in SENDS[:ELSEWHERE]))[:value]
            asked = {at for at in asked if SENDS[at][1] in editions}
        return any(did(field, mail) for at, mail in self.reader["mails"].items() if at in asked)


def did(field: str, mail: Reader) -> bool:
    if field == "received":
        return mail["submitted"] and not mail["failed"] and mail["seen"] not in {"bounced", "dropped"}
    return mail["seen"] in ({"clicked"} if field == "clicked" else {"opened", "clicked"})


def sources(field: str, value: Any) -> set[str]:
    if field == "clicked_story":
        return {URLS[STORIES[number - 1][0]] for number in value}
    wanted = {topic.lower() for topic in value}
    return {URLS[at] for at, topics in STORIES if wanted & {topic.strip().lower() for topic in topics.split(",")}}


def holds_of(op: str, stored: set[str], value: Any) -> bool:
    if op == "exists":
        return bool(stored)
    return bool(stored & set(value)) if op == "has_any" else set(value) <= stored


def folded(item: Any) -> Any:
    if isinstance(item, list):
        return [folded(each) for each in item]
    return item.lower() if isinstance(item, str) else item


def text(stored: str, op: str, value: Any) -> bool:
    return {
        "exists": lambda: stored != "",
        "eq": lambda: stored == value,
        "in": lambda: stored in value,
        "contains": lambda: value in stored,
        "starts_with": lambda: stored.startswith(value),
        "ends_with": lambda: stored.endswith(value),
    }[op]()


def on_time(op: str, moment: datetime, value: Any) -> bool:
    if op == "within_days":
        return moment > NOW - timedelta(days=value)
    if op == "between":
        return date.fromisoformat(value[0]) <= moment.date() <= date.fromisoformat(value[1])
    if len(value) == 10:
        compared: Any = (moment.date(), date.fromisoformat(value))
    else:
        asked = datetime.fromisoformat(value)
        compared = (moment, asked if asked.tzinfo else asked.replace(tzinfo=UTC))
    return bool(ORDER[DATE_SIGNS[op]](*compared))


def attribute(stored: Any, op: str, value: Any, *, exact: bool) -> bool:  # noqa: C901, PLR0911 - one line for each kind of value
    if op == "exists":
        return stored not in (None, "")
    if op == "in":
        return any(attribute(stored, "eq", item, exact=exact) for item in value)
    fold = (lambda item: item) if exact else folded
    if isinstance(stored, list):
        return op == "contains" and fold(value) in [fold(item) for item in stored if isinstance(item, str)]
    if stored is None or isinstance(stored, dict):
        return False
    as_text = stored if isinstance(stored, str) else json.dumps(stored)
    if isinstance(stored, float) and stored >= 1e16:
        as_text = str(int(stored))
    if op in DATE_SIGNS or op in {"within_days", "in_next_days", "anniversary_in_days"}:
        return on_day(as_text, op, value)
    if op == "between" and isinstance(value[0], str):
        day = day_of(as_text)
        return day is not None and value[0] <= day <= value[1]
    if isinstance(value, bool):
        return as_text.lower() == str(value).lower()
    if isinstance(value, str):
        return bool(ORDER[op](as_text, value)) if op in ORDER else text(fold(as_text), op, fold(value))
    number = as_number(as_text)
    if op == "between":
        return number is not None and value[0] <= number <= value[1]
    return number is not None and bool(ORDER.get(op, operator.eq)(number, value))


def day_of(stored: str) -> str | None:
    whole = len(stored) == 10 or stored[10:11] in {"T", " "}
    return (
        stored[:10]
        if whole and all(part.isdecimal() for part in stored[:10].split("-")) and stored[4:5] == "-"
        else None
    )


def on_day(stored: str, op: str, value: Any) -> bool:
    day = day_of(stored)
    if day is None:
        return False
    if op in DATE_SIGNS:
        return bool(ORDER[DATE_SIGNS[op]](day, value))
    if op == "anniversary_in_days":
        coming = [NOW.date() + timedelta(days=ahead) for ahead in range(value + 1)]
        in_those = {that_day.isoformat()[5:] for that_day in coming}
        leap = any((d.month, d.day) == (2, 28) and (d + timedelta(days=1)).month == 3 for d in coming)
        return day[5:] in in_those or (leap and day[5:] == "02-29")
    first, last = (-value, 0) if op == "within_days" else (0, value)
    return days_from_now(first) <= day <= days_from_now(last)


def as_number(stored: str) -> float | None:
    whole, _, fraction = stored.lstrip("+-").partition(".")
    digits = whole.isdecimal() and (fraction.isdecimal() or "." not in stored)
    return float(stored) if digits else None
