"""Twice the text takes at most three times as long: to read it, to render it and to check it, whatever it is made of."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.hostile import SHAPES
from composer.checks import check
from composer.digest import DigestError, content, parse
from composer.reading.errors import MOST_LINES
from composer.rendering import render
from composer.sanitising import TextTooLargeError
from tests.composer.editions import PUBLICATION

DIGEST = "The Week\n\nHello there.\n\n1. Quay closes\n\nOn Monday.\n\n2. Trams run\n\nAll night.\n\n"
PAGE = "<html><body><h1>The Week</h1><p>Hello.</p><h2>Quay</h2><p>It closes.</p><h2>Trams</h2><p>They run.</p>"
UNITS = [
    *"{[(*_`~:.,;-=#<>&|!?\"'@/\\%+ \n\r\f\ta1A七\u200b\u00a0",
    *("{{", "}}", "{{ first_name ", "{{a}} ", "-ndEmail-", "://", "a://", "a@", "a@b.c ", "www.", "http://", "https://a.example/b "),
    *("1. A\n", "1. ", "1\ufe0f\u20e3", "🔟", "(1) ", "一、", "- a\n", "  - a\n", "> ", "# a\n", "CULTURE\n\n", "---\n", "-- \n", "From: a\n"),
    *("**a ", "**A**\n\n", "_a ", "~~a ", "![a](", "[a](", "[a](b ", "[a]: b\n", "| a | b |\n", "```", "<!--", "<![CDATA[", "<?"),
    *("<a ", "<b>", "<div>", '<a href="', "&amp;", "&#x41;", 'a="b" ', "Aa ", "a-", "a'", "1,", "“a ", "(via ", "Source: ", "Read more: "),
    *("a\u0301", "שלום ", "市议会投票决定", "12.5 % of 300 million ", "3. April is the deadline.\n\n", "This is a sentence. ", "Wrapping up\n"),
]  # fmt: skip
IN_PAGES = ["<p>a</p>", "<li>a", "a<br>", "<h2>a</h2>", "<tr><td>a<td>b</tr>", "<img src=x>", '<p style="', "<!-- a -->", "&nbsp;", "a\n"]  # fmt: skip
#: Seconds that count as nothing.
NOISE = 0.1


def seconds(text: str | bytes) -> float:
    begin = time.process_time()
    try:
        edition = content(parse(text), PUBLICATION)
    except (DigestError, TextTooLargeError):
        return time.process_time() - begin
    check(edition, render(edition))
    return time.process_time() - begin


def is_linear(head: str, unit: str, size: int) -> bool:
    """A machine has hiccups: the quickest of three is what counts."""
    shorter, longer = (head + unit * (length // len(unit)) for length in (size, 2 * size))
    return any(seconds(longer) <= 3 * seconds(shorter) + NOISE for _ in range(3))


@pytest.fixture(autouse=True, scope="module")
def warm() -> None:
    seconds(DIGEST)
    seconds(PAGE)


@pytest.mark.parametrize("unit", UNITS)
def test_text(unit: str) -> None:
    assert is_linear(DIGEST, unit, 8_000)


@pytest.mark.parametrize("unit", IN_PAGES)
def test_pages(unit: str) -> None:
    assert is_linear(PAGE, unit, 8_000)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from(UNITS), min_size=2, max_size=5).map("".join))
def test_any_mixture(unit: str) -> None:
    assert is_linear(DIGEST, unit, 6_000)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_the_benchmark(shape: str) -> None:
    """Bytes too: undecodable ones, those of old encodings, base64, deep nesting, one long word before “://”."""
    shorter, longer = SHAPES[shape](15_000), SHAPES[shape](30_000)
    assert any(seconds(longer) <= 3 * seconds(shorter) + NOISE for _ in range(3))


def test_names_in_two_spellings_are_looked_for_in_linear_time() -> None:
    letters = "abcdefghij"
    names = [f"the A{a}{b}{c}{d}" for a in letters for b in letters for c in letters for d in letters]
    shorter, longer = (DIGEST + " ".join(names[:count]) for count in (2000, 4000))
    assert any(seconds(longer) <= 3 * seconds(shorter) + NOISE for _ in range(3))


@pytest.mark.parametrize("head", [DIGEST, PAGE])
def test_more_lines_than_a_digest_has_are_refused_with_the_first_too_many(head: str) -> None:
    unit = "<p>a</p>\n" if head is PAGE else "a\n"
    with pytest.raises(DigestError, match="at most 20,000 lines are read; take the rest out") as caught:
        parse(head + unit * (MOST_LINES + 10))
    assert MOST_LINES - 10 < caught.value.line < MOST_LINES + 20
