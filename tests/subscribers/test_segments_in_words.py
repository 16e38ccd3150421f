from typing import Any

import pytest

from subscribers.segments import in_words, parse


def leaf(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op} | ({} if value is None else {"value": value})


COUNTRY = leaf("attributes.country", "in", ["SG", "MY"])


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"all": []}, "Everybody"),
        (
            {"all": [COUNTRY, leaf("opened", "within_editions", 4)]},
            "In Singapore or Malaysia, and opened one of the last four editions",
        ),
        ({"not": COUNTRY}, "Not (in Singapore or Malaysia)"),
        (leaf("attributes.country", "ne", "France"), "Not in France"),
        (
            {"any": [{"all": [COUNTRY, leaf("language", "eq", "zh")]}, leaf("tags", "has_none", ["vip"])]},
            "(in Singapore or Malaysia, and language is “zh”), or has not the tag “vip”",
        ),
        (leaf("opened", "never"), "Did not open any edition"),
        (leaf("clicked", "not_within_days", 90), "Clicked no link in any edition of the last 90 days"),
        (leaf("received", "within_editions", 1), "Received the last edition"),
        (leaf("subscribed_at", "within_days", 30), "Subscribed in the last 30 days"),
        (leaf("subscribed_at", "after", "2026-01-31T09:00+08:00"), "Subscribed after January 31, 2026 01:00 UTC"),
        (
            leaf("attributes.born", "anniversary_in_days", 7),
            "Born is a day whose anniversary is in the next seven days",
        ),
        (leaf("attributes.age", "between", [18, 30]), "Age is between 18 and 30"),
        (leaf("attributes.joined", "on_or_before", "2026-01-31"), "Joined is on or before January 31, 2026"),
        (leaf("attributes.score", "gte", 7.5), "Score is at least 7.5"),
        (leaf("attributes.plan", "missing"), "Plan is not set"),
        (leaf("lists", "has_all", ["one", "two"]), "Is on the lists “one” and “two”"),
        (leaf("clicked_topic", "has_any", ["Culture"]), "Clicked topic “Culture”"),
        (leaf("segment", "not_in", ["asia"]), "Not in the segment “asia”"),
        (leaf("email", "ends_with", "@example.com"), "Address ends with “@example.com”"),
        (leaf("signup_source", "contains", "form"), "Source of the sign-up contains “form”"),
        (
            leaf("attributes.n", "in", list(range(20))),
            "N is 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 or 8 others",
        ),
    ],
)
def test_a_rule_is_said_in_words(rule: dict[str, Any], words: str) -> None:
    assert in_words(parse(rule)) == words
