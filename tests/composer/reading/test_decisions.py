"""A person says of a line that it is a headline, or text; that comes before every rule."""

import pytest

from composer.digest import Digest, DigestError, parse
from composer.reading.decisions import NO_DECISIONS, Decisions

NUMBERED = """The week

1. Rivers rise in the north

The water stands high.

2) The market gets a roof

The council voted for glass.

3. April is the deadline

Nothing moves before.

Ferries run again

From Monday, twice a day.
"""


def headlines(text: str, decisions: Decisions = NO_DECISIONS) -> list[str]:
    return [story.headline for story in parse(text, decisions=decisions).stories]


def line_of(text: str, start: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if line.startswith(start))


def doubtful(digest: Digest) -> set[int]:
    return {doubt.line for doubt in digest.report.doubts}


def test_a_doubt_that_was_read_right_is_settled_without_a_change() -> None:
    line = line_of(NUMBERED, "2)")
    before, after = parse(NUMBERED), parse(NUMBERED, decisions={line: "headline"})

    assert line in doubtful(before)
    assert doubtful(after) == doubtful(before) - {line}
    assert [story.headline for story in after.stories] == [story.headline for story in before.stories]


def test_a_line_without_a_number_becomes_a_headline_between_numbered_ones() -> None:
    text = NUMBERED.replace("Ferries run again", "Bridges stay shut").replace(
        "3. April", "Ferries run again\n\nTwice a day.\n\n3. April"
    )

    assert headlines(text, {line_of(text, "Ferries"): "headline"}) == [
        "Rivers rise in the north",
        "The market gets a roof",
        "Ferries run again",
        "April is the deadline",
    ]


def test_a_numbered_headline_becomes_text_with_its_number() -> None:
    line = line_of(NUMBERED, "3. April")
    digest = parse(NUMBERED, decisions={line: "text"})

    assert [story.headline for story in digest.stories] == ["Rivers rise in the north", "The market gets a roof"]
    assert "3. April is the deadline" in digest.stories[1].body_html
    assert line not in doubtful(digest)


def test_short_lines_are_confirmed_by_one_of_them() -> None:
    text = "The week\n\nRivers rise\n\nThe water stands high.\n\nA roof at last\n\nThe council voted.\n"
    line = line_of(text, "Rivers")

    assert doubtful(parse(text)) == {line}
    assert not doubtful(parse(text, decisions={line: "headline"}))
    assert headlines(text, {line: "headline"}) == ["Rivers rise", "A roof at last"]


def test_a_single_story_is_named_by_hand() -> None:
    text = "The week\n\nrivers rise in the north\n\nThe water stands high.\n"

    with pytest.raises(DigestError):
        parse(text)
    assert headlines(text, {3: "headline"}) == ["rivers rise in the north"]


def test_a_decision_about_no_line_is_refused() -> None:
    with pytest.raises(DigestError, match="no paragraph begins on this line") as refused:
        parse(NUMBERED, decisions={4: "headline"})

    assert refused.value.line == 4
