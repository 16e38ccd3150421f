"""Rules that name other segments."""

import json
from typing import Any

import pytest

from composer.models import Publication
from subscribers.models import Segment
from subscribers.saved_segments import rules_for, save_segment
from subscribers.segments import RuleError, expanded
from tests.subscribers.commands import refusal, run_json

ASIA = {"field": "attributes.country", "op": "in", "value": ["SG", "MY"]}
MEMBERS = {"field": "tags", "op": "has_any", "value": ["member"]}
KNOWN = {
    "asia": ASIA,
    "members": MEMBERS,
    "both": {"all": [{"field": "segment", "op": "in", "value": ["asia", "members"]}]},
}


def named(*slugs: str, op: str = "in") -> dict[str, Any]:
    return {"field": "segment", "op": op, "value": list(slugs)}


def test_a_name_becomes_the_rule_it_stands_for() -> None:
    rule = expanded({"all": [named("both", op="not_in"), MEMBERS]}, KNOWN.get)

    assert rule == {"all": [{"not": {"any": [{"all": [{"any": [ASIA, MEMBERS]}]}]}}, MEMBERS]}


def test_an_unknown_name_is_refused_by_its_place() -> None:
    with pytest.raises(RuleError, match=r"any\[1\].value\[0\]: 'asai' is no segment of this publication; it has: asia"):
        expanded({"any": [MEMBERS, named("asai")]}, KNOWN.get, known=["asia"])


def test_a_circle_is_refused() -> None:
    circle = {"one": named("two"), "two": {"not": named("one")}}

    with pytest.raises(RuleError, match="in a circle: one → two → one"):
        expanded(circle["one"], circle.get, of="one")


def test_names_cannot_blow_a_rule_up() -> None:
    many = {"wide": {"any": [ASIA] * 100}}

    assert expanded(named("wide", "wide"), many.get) == {"any": [many["wide"]] * 2}
    with pytest.raises(RuleError, match=r"^any\[1\]: more than 200 comparisons with those of the named segments"):
        expanded({"any": [named("wide", "wide"), ASIA]}, many.get)


def test_a_saved_rule_is_used_with_what_it_names_now(publication: Publication) -> None:
    save_segment(publication.pk, "asia", ASIA)
    save_segment(publication.pk, "wide", {"any": [named("asia"), MEMBERS]})

    assert rules_for(publication.pk, ["wide"]) == {"wide": {"any": [{"any": [ASIA]}, MEMBERS]}}
    assert Segment.objects.get(slug="wide").rule == {"any": [named("asia"), MEMBERS]}


def test_a_segment_may_not_come_back_to_itself(publication: Publication) -> None:
    save_segment(publication.pk, "asia", ASIA)
    save_segment(publication.pk, "wide", named("asia"))

    rule = json.dumps(named("wide"))
    assert "circle: asia → wide → asia" in refusal("new_segment", "asia", "--publication", "weekly", "--rule", rule)
    assert run_json("count_segment", "--publication", "weekly", "--rule", rule)["readers"] == 0
