"""What `count-segment` says of a rule that nobody, or hardly anybody, can match."""

import json
from typing import Any

import pytest

from composer.models import Publication
from tests.subscribers.commands import refusal, run, run_json

COUNTRY = {"field": "attributes.Country", "op": "eq", "value": "SG"}


@pytest.fixture
def readers(publication: Publication, make_list: Any, make_subscriber: Any) -> None:
    readers = make_list()
    for number in range(4):
        make_subscriber(
            f"r{number}@example.com", lists={readers: "active"}, attributes={"country": "sg"}, tags=["Member"]
        )


def counted(rule: object) -> dict[str, Any]:
    return run_json("count_segment", "--publication", "weekly", "--rule", json.dumps(rule))


@pytest.mark.usefixtures("readers")
def test_the_count_comes_with_words_and_saves_nothing() -> None:
    assert counted({"field": "attributes.country", "op": "eq", "value": "SG"}) == {
        "readers": 4,
        "in_words": "In Singapore",
        "warnings": [],
    }


@pytest.mark.usefixtures("readers")
@pytest.mark.parametrize(
    ("rule", "warning"),
    [
        (COUNTRY, "No reader has attributes.Country. Did you mean attributes.country?"),
        ({"not": {"all": [COUNTRY]}}, "No reader has attributes.Country. Did you mean attributes.country?"),
        ({"field": "attributes.zzz", "op": "exists"}, "No reader has attributes.zzz."),
        (
            {"field": "tags", "op": "has_any", "value": ["member"]},
            "No reader has the tag 'member'. Did you mean Member?",
        ),
        (
            {"field": "lists", "op": "has_none", "value": ["reader"]},
            "This publication has no list 'reader'. Did you mean readers?",
        ),
    ],
)
def test_a_name_that_nobody_has_is_pointed_out(rule: object, warning: str) -> None:
    assert counted(rule)["warnings"] == [warning]


def test_a_name_that_hardly_anybody_has_is_pointed_out(
    publication: Publication, make_list: Any, make_subscriber: Any
) -> None:
    readers = make_list()
    for number in range(150):
        attributes = {"town": "Paris"} if number else {"towns": "Paris"}
        make_subscriber(f"r{number}@example.com", lists={readers: "active"}, attributes=attributes)

    rule = json.dumps({"field": "attributes.towns", "op": "exists"})

    text = run("count_segment", "--publication", "weekly", "--rule", rule)
    assert text == (
        "Towns is set: 1 reader now\n"
        "warning: Hardly any reader has attributes.towns: 1 of 150 looked at. Did you mean attributes.town?\n"
    )


def test_a_rule_that_is_none_is_refused(publication: Publication) -> None:
    refused = refusal("count_segment", "--publication", "weekly", "--rule", '{"field": "opend", "op": "ever"}')

    assert "--rule: field: 'opend' is not one of" in refused
    assert "Did you mean 'opened'?" in refused
