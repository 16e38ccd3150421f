"""The text of a story's source is for the checks alone."""

from typing import Any

import pytest

from composer.approval import approve
from composer.inspection import inspect

pytestmark = pytest.mark.integration
SOURCE = "Downloads rose 57 percent in May, said Abe Yousef. The rivers rise, he added."


def test_what_a_story_says_and_its_source_does_not_is_a_warning(make_edition: Any, make_story: Any) -> None:
    story = make_story("Downloads rise 75 %", lede="It was said by Abe Yousaf.", body="", source_text=SOURCE)
    edition = make_edition(blocks=[("story", {"story": story}), ("story", {"story": make_story("A 99 % chance")})])

    found = [problem for problem in inspect(edition).problems if problem.code.startswith("claim.")]

    assert [(problem.level, problem.code, problem.where, problem.message) for problem in found] == [
        ("warning", "claim.figure", "story 1", "75 %: the source says 57 percent"),
        ("warning", "claim.name", "story 1", "“Abe Yousaf”: the source says “Abe Yousef”"),
    ]


def test_no_mail_and_no_frozen_byte_has_the_sources_text(make_edition: Any, make_story: Any) -> None:
    story = make_story("Rivers rise", source_url="https://example.com/rivers", source_text=SOURCE)
    edition = make_edition(blocks=[("story", {"story": story})])

    variants = approve(edition, by=None, audience_rules={}).variants.all()

    assert variants
    assert all(SOURCE not in variant.html + variant.text for variant in variants)
    assert SOURCE not in str(edition.latest_revision.content)
