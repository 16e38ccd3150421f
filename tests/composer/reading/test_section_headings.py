"""Which line above a headline opens a section, by itself or because others are like it."""

from typing import Any

import pytest

from composer.reading.document import Block, Heading, ListItem, Paragraph
from composer.reading.section_headings import could_be_section, is_decorated, is_section, without_frame


def line(text: str, **fields: Any) -> Paragraph:
    return Paragraph(line=1, text=text, **{"html": text, **fields})


def heading(level: int) -> Heading:
    return Heading(line=1, text="Culture", html="Culture", level=level)


@pytest.mark.parametrize(
    ("block", "level", "expected"),
    [
        (heading(2), 0, True),
        (heading(2), 3, True),
        (heading(3), 3, False),
        (line("Culture", bold=True), 0, True),
        (line("=== Culture ==="), 0, True),
        (line("— Culture —"), 3, True),
        (line("CULTURE"), 0, True),
        (line("ART"), 0, True),
        (line("UN"), 0, False),
        (line("Culture"), 0, False),
        (line("Culture:"), 0, False),
        (line("📍 Quay Road"), 0, False),
        # Brackets alone do not make one.
        (line("【Culture】"), 0, False),
        (line("【CULTURE】"), 0, True),
        (line("It was a long week.", bold=True), 0, False),
        (ListItem(line=1, text="CULTURE", html="CULTURE", marker="-"), 0, False),
    ],
)
def test_what_is_a_section_by_itself(block: Block, level: int, expected: bool) -> None:
    assert is_section(block, level) is expected


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (line("Culture"), True),
        (line("📍 Quay Road"), True),
        (line("All that we read"), True),
        (line("All that we read today"), False),
        (line("Photo: Jane Doe"), False),
        (line("It was a long week."), False),
        (line("Culture", html='<a href="https://example.com">Culture</a>'), False),
        (heading(2), False),
    ],
)
def test_what_is_one_if_others_are_like_it(block: Block, expected: bool) -> None:
    assert could_be_section(block) is expected


@pytest.mark.parametrize(
    ("text", "decorated", "bare"),
    [
        ("Culture", False, "Culture"),
        ("=== Culture ===", True, "Culture"),
        ("Culture:", True, "Culture"),
        ("【国际】", True, "国际"),
        # An emoji stays.
        ("📍 Quay Road", True, "📍 Quay Road"),
    ],
)
def test_frames_and_emoji(text: str, decorated: bool, bare: str) -> None:
    assert (is_decorated(line(text)), without_frame(text)) == (decorated, bare)
