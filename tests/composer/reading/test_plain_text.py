"""Lines of plain text to blocks: which are paragraphs, items, rules and links, and how far they stand apart."""

import pytest

from composer.reading.document import Block, LinkLine, ListItem, Paragraph, Rule
from composer.reading.plain_text import block_of, blocks


def told(text: str) -> list[tuple[type[Block], str, int]]:
    return [(type(one), one.text, one.line) for one in blocks(text)]


def test_blocks_know_their_line() -> None:
    assert told("Weekly\n\nHi.\n\n\n\n- Quay\n---\nhttps://example.com/a\nBye.") == [
        (Paragraph, "Weekly", 1),
        (Paragraph, "Hi.", 3),
        (ListItem, "Quay", 7),
        (Rule, "---", 8),
        (LinkLine, "https://example.com/a", 9),
        (Paragraph, "Bye.", 10),
    ]


def test_a_text_may_begin_on_another_line() -> None:
    assert [one.line for one in blocks("Weekly\n\nHi.", line=5)] == [5, 7]


WRAPPED = "The council voted nine to four on\nTuesday night to close the quay\nand the road behind it."


def test_wrapped_lines_are_one_paragraph_but_for_the_first_two_blocks() -> None:
    joined = "The council voted nine to four on Tuesday night to close the quay and the road behind it."

    assert [one.text for one in blocks(f"Weekly\n\nHi.\n\n{WRAPPED}")] == ["Weekly", "Hi.", joined]
    # Title and subtitle stand above each other.
    assert len(blocks(WRAPPED)) == 3 - 1


def test_what_goes_on_below_an_item_is_indented_and_nothing_goes_on_below_a_link() -> None:
    found = [
        one.text for one in blocks("Weekly\n\nHi.\n\n- Quay\n  and road\n- Trams\nrun\nhttps://example.com/a\n  and so")
    ]

    assert found == ["Weekly", "Hi.", "Quay and road", "Trams", "run", "https://example.com/a", "and so"]


@pytest.mark.parametrize(
    ("text", "kind", "kept"),
    [
        ("***", Rule, "***"),
        ("- - -", Rule, "- - -"),
        ("--", Paragraph, "--"),
        ("⁂", Rule, "⁂"),
        ("• Quay", ListItem, "Quay"),
        ("•Quay", ListItem, "Quay"),
        ("-Quay", Paragraph, "-Quay"),
        ("— Culture —", Paragraph, "— Culture —"),
        ("www.example.com/a", LinkLine, "www.example.com/a"),
        ("See https://example.com/a", Paragraph, "See https://example.com/a"),
    ],
)
def test_one_line(text: str, kind: type[Block], kept: str) -> None:
    block = block_of(text, line=3)

    assert (type(block), block.text, block.line) == (kind, kept, 3)
