import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.rendering import render
from composer.rendering.plain_text.fragments import Footnotes, paragraphs
from composer.rendering.plain_text.layout import COLUMNS, fill, width
from tests.composer.editions import every_block, make_edition, make_story

LONG_URL = "https://example.com/" + "very-long-path/" * 8


def test_no_line_is_wider_than_the_page_but_for_links_and_tags() -> None:
    for line in render(every_block()).text.splitlines():
        assert width(line) <= COLUMNS or "://" in line or "-nd" in line


@settings(max_examples=150)
@given(st.text(max_size=300), st.integers(0, 8))
def test_filling_keeps_every_character_and_the_width(text: str, indent: int) -> None:
    filled = fill(text, first=" " * indent, rest=" " * indent)

    assert "".join(filled.split()) == "".join(text.split())
    for line in filled.split("\n"):
        assert (
            width(line) <= COLUMNS
            or "://" in line
            or "-nd" in line
            or "{{" in line
            or len(line) > len(line.encode()) / 4
        )


def test_a_url_is_never_broken() -> None:
    filled = fill(f"Some words before it and then {LONG_URL} and after", first="    ", rest="    ")

    assert f"\n    {LONG_URL}\n" in filled


def test_a_word_longer_than_the_line_is_cut() -> None:
    assert max(map(len, fill("x" * 200).split("\n"))) == COLUMNS


def test_chinese_is_broken_between_characters_and_not_before_a_full_stop() -> None:
    lines = fill("字" * 36 + "。" + "字" * 20).split("\n")

    assert all(width(line) <= COLUMNS for line in lines)
    assert not any(line.startswith("。") for line in lines)


def test_headlines_hang_behind_their_numbers() -> None:
    stories = [make_story(f"s{n}", headline="A headline of many words " * 4) for n in range(10)]

    text = render(make_edition(*stories)).text

    assert re.search(r"^ 1\. A headline.*\n    \w", text, re.MULTILINE)
    assert re.search(r"^10\. A headline.*\n    \w", text, re.MULTILINE)


def test_links_are_footnotes_below_their_story() -> None:
    story = make_story(
        body_html='<p>See <a href="https://a.example.com">one</a> and <a href="https://b.example.com">two</a>, '
        'again <a href="https://a.example.com">one</a>.</p>'
    )

    text = render(make_edition(story)).text

    assert "See one [1] and two [2], again one [1]." in text
    assert "   [1] https://a.example.com\n   [2] https://b.example.com\n" in text


def test_a_link_that_shows_its_address_needs_no_footnote() -> None:
    notes = Footnotes()

    assert paragraphs('<a href="https://a.example.com">https://a.example.com</a>', notes) == ["https://a.example.com"]
    assert notes.take() == []


def test_the_unsubscribe_link_stands_in_full() -> None:
    assert "\nUnsubscribe:\n-ndUnsubscribeUrl-\n" in render(make_edition()).text


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<ul><li>one</li><li>two</li></ul>", ["- one\n- two"]),
        ('<ol start="9"><li>one</li><li>two</li></ol>', ["9. one\n10. two"]),
        ("<ul><li>one<ul><li>inner</li></ul></li></ul>", ["- one\n  - inner"]),
        ("<blockquote><p>said</p></blockquote><p>after</p>", ["> said", "after"]),
        ("a<br>b", ["a", "b"]),
        ("<p>&amp; &lt;tag&gt; &nbsp;</p>", ["& <tag>"]),
    ],
)
def test_rich_text_is_readable(html: str, expected: list[str]) -> None:
    assert paragraphs(html, Footnotes()) == expected


def test_every_headline_is_in_contents_and_body() -> None:
    text = render(every_block()).text

    assert text.count("Council closes the quay road") == 2
    assert text.count("A robot learns to fold maps") == 2


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("10<sup>6</sup> readers", "10^6 readers"),
        ("x<sup>n+1</sup>", "x^(n+1)"),
        ("10<sup>-3</sup>", "10^-3"),
        ("the 1<sup>st</sup> of May", "the 1st of May"),
        ("H<sub>2</sub>O", "H₂O"),
        ("x<sub>max</sub>", "x_max"),
        ("<s>12 euros</s> 8 euros", "~~12 euros~~ 8 euros"),
        ("<s></s>nothing", "nothing"),
        ("open <sup>6", "open 6"),
        ('<s><a href="https://example.com/a">gone</a></s>', "~~gone [1]~~"),
    ],
)
def test_what_would_mean_something_else_without_its_mark_keeps_one(html: str, text: str) -> None:
    assert paragraphs(f"<p>{html}</p>", Footnotes()) == [text]
