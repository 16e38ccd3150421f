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
        # One other is named.
        (leaf("attributes.n", "in", list(range(13))), "N is 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 or 12"),
        (
            leaf("attributes.n", "in", list(range(14))),
            "N is 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 or 2 others",
        ),
        (
            leaf("attributes.n", "in", list(range(30))),
            "N is 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 or 18 others",
        ),
        (
            {"any": [leaf("opened", "ever"), leaf("clicked", "ever")]},
            "Opened some edition, or clicked a link in some edition",
        ),
        (
            {"all": [{"any": [leaf("opened", "ever"), COUNTRY]}, leaf("received", "never")]},
            "(opened some edition, or in Singapore or Malaysia), and did not receive any edition",
        ),
        ({"all": [{"any": [COUNTRY]}]}, "In Singapore or Malaysia"),
        (
            {"all": [{"any": [leaf("opened", "ever"), leaf("tags", "exists")]}]},
            "Opened some edition, or has some tag",
        ),
        ({"any": [{"all": []}, leaf("opened", "ever")]}, "Everybody, or opened some edition"),
        (
            {"all": [{"any": [COUNTRY]}, leaf("attributes.vip", "eq", True)]},
            "In Singapore or Malaysia, and vip is true",
        ),
        (leaf("received", "not_within_editions", 3), "Did not receive any of the last three editions"),
        (leaf("opened", "not_within_editions", 3), "Did not open any of the last three editions"),
        (leaf("clicked", "not_within_editions", 3), "Clicked no link in any of the last three editions"),
        (leaf("clicked", "within_editions", 2), "Clicked a link in one of the last two editions"),
        (leaf("received", "within_editions", 2), "Received one of the last two editions"),
        (leaf("opened", "not_within_editions", 1), "Did not open the last edition"),
        (leaf("opened", "within_days", 1), "Opened an edition of the last one day"),
        (leaf("clicked", "within_days", 3), "Clicked a link in an edition of the last three days"),
        (leaf("received", "within_days", 10), "Received an edition of the last ten days"),
        (leaf("received", "not_within_days", 13), "Did not receive any edition of the last 13 days"),
        (leaf("opened", "not_within_days", 2), "Did not open any edition of the last two days"),
        (leaf("attributes.country", "not_in", ["sg", "Mars", "XX"]), "Not in Singapore, Mars or XX"),
        # 419 is Latin America where a number stands for a region.
        (leaf("attributes.country", "in", ["419", "SG"]), "In 419 or Singapore"),
        (leaf("attributes.country_code", "eq", "SG"), "In Singapore"),
        (leaf("attributes.CountryCode", "eq", "SG"), "In Singapore"),
        (leaf("attributes.country", "exists"), "Country is set"),
        (leaf("attributes.Land", "eq", "SG"), "Land is “SG”"),
        (leaf("attributes.vip", "ne", False), "Vip is not false"),
        (leaf("attributes.due", "in_next_days", 3), "Due is in the next three days"),
        (leaf("attributes.age", "lt", 18), "Age is less than 18"),
        (leaf("attributes.age", "gt", 18), "Age is more than 18"),
        (leaf("attributes.age", "lte", 18), "Age is at most 18"),
        (leaf("attributes.joined", "before", "2026-01-31"), "Joined is before January 31, 2026"),
        (leaf("attributes.joined", "on_or_after", "2026-01-31"), "Joined is on or after January 31, 2026"),
        (leaf("attributes.joined", "within_days", 12), "Joined is in the last twelve days"),
        (leaf("tracking", "eq", "granted"), "Answer on tracking is “granted”"),
        (leaf("clicked_link", "contains", "shop"), "Address of a followed link contains “shop”"),
        (
            leaf("created_at", "between", ["2026-01-01", "2026-01-31"]),
            "Became known between January 1, 2026 and January 31, 2026",
        ),
        (leaf("status", "not_in", ["pending", "unsubscribed"]), "Status is not “pending” or “unsubscribed”"),
        (leaf("name", "starts_with", "A"), "Name starts with “A”"),
        (leaf("tags", "exists"), "Has some tag"),
        (leaf("lists", "missing"), "Is on no list"),
        (leaf("tags", "has_none", ["a", "b"]), "Has none of the tags “a” and “b”"),
        (leaf("tags", "has_any", ["a", "b"]), "Has the tag “a” or “b”"),
        (leaf("lists", "has_all", ["one"]), "Is on the list “one”"),
        (leaf("clicked_story", "has_none", [7, 8]), "Did not click story 7 or 8"),
        (leaf("segment", "in", ["asia", "vip"]), "In the segment “asia” or “vip”"),
    ],
)
def test_a_rule_is_said_in_words(rule: dict[str, Any], words: str) -> None:
    assert in_words(parse(rule)) == words
