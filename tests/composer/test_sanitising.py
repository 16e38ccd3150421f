import re
import time
from contextlib import suppress
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.merge_tags import Field as MergeField
from composer.merge_tags import tags_in, token, translate
from composer.sanitising import MAX_CHARACTERS, MAX_DEPTH, TextTooLargeError, paragraphs_to_html, printable, rich_text


@pytest.mark.parametrize(
    ("given_html", "kept"),
    [
        ("plain", "plain"),
        ("a > b & c", "a &gt; b &amp; c"),
        ("<p>one<p>two", "<p>one</p><p>two</p>"),
        (
            '<a href="https://example.com/?a=1&b=2" onclick="x()">go</a>',
            '<a href="https://example.com/?a=1&amp;b=2">go</a>',
        ),
        ('<a href="javascript:alert(1)">go</a>', "<a>go</a>"),
        ('<a href="/relative">go</a>', "<a>go</a>"),
        ('<a href="{{ unsubscribe_url }}">stop</a>', '<a href="{{ unsubscribe_url }}">stop</a>'),
        ('<a href="#s-abc">above</a>', '<a href="#s-abc">above</a>'),
        ("<script>alert(1)</script>after", "after"),
        ("<style>p{}</style><img src=x onerror=y>after", "after"),
        ("<mj-text>inside</mj-text>", "inside"),
        ("<div style='color:red'><h1>Big</h1></div>", "Big"),
        ("a\x00b\x1b[0m\x85c\ud83d<b>d</b>", "ab[0mc<b>d</b>"),
    ],
)
def test_it_keeps_what_a_story_may_hold(given_html: str, kept: str) -> None:
    assert rich_text(given_html) == kept


def test_unclosed_paragraphs_and_items_are_not_depth() -> None:
    assert rich_text("<p>x" * 200).count("<p>") == 200
    assert rich_text("<ul>" + "<li>x" * 200).count("<li>") == 200


@pytest.mark.parametrize("tag", ["b", "div", "blockquote", "mj-section"])
def test_too_deep_is_refused(tag: str) -> None:
    with pytest.raises(TextTooLargeError, match="nested 51 tags deep; at most 50"):
        rich_text(f"<{tag}>" * (MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "piece", ["<!--", "<![", "<?", "</", "<a =", "<a title='", '<a title="', "<title>", "<script ", "<b/"]
)
def test_what_nothing_ends_is_read_in_linear_time(piece: str) -> None:
    def seconds(count: int) -> float:
        began = time.process_time()
        with suppress(TextTooLargeError):
            rich_text("<p>a</p>" + piece * count)
        return time.process_time() - began

    assert any(seconds(20_000) <= 3 * seconds(10_000) + 0.1 for _ in range(3))


@pytest.mark.parametrize(
    "between",
    [
        "<!--</b>-->",
        "<!--></b>",
        '<i title="</b>"></i>',
        "<textarea></b></textarea>",
        "<script></b></script>",
        '<i =">">',
        "<![CDATA[</b>]]>",
    ],
)
def test_end_tags_that_are_none_hide_no_depth(between: str) -> None:
    """Whatever the tokenizer makes of them: what comes out is never deeper than it may be."""
    with suppress(TextTooLargeError):
        clean = rich_text(f"<b>{between}" * 200)
        depths = accumulate({"<b>": 1, "</b>": -1, "<i>": 1, "</i>": -1}[tag] for tag in re.findall(r"</?[bi]>", clean))
        assert max(depths, default=0) <= MAX_DEPTH


def test_too_long_is_refused() -> None:
    with pytest.raises(TextTooLargeError, match="200,003 characters"):
        rich_text("<p>" + "x" * MAX_CHARACTERS)


def test_paragraphs_are_escaped() -> None:
    assert paragraphs_to_html(["Dolce & Gabbana", "a < b\x00"]) == "<p>Dolce &amp; Gabbana</p><p>a &lt; b</p>"


def test_printable_keeps_tabs_lines_and_emoji() -> None:
    assert printable("a\tb\r\nc 👩‍🚀\x9f") == "a\tb\nc 👩‍🚀"


PIECES = st.sampled_from(
    ["<p>", "</p>", "<b>", "</b>", "<a href='", "https://example.com/", "'>", "</a>", "<script>", "</script>", "<mj-text>",
     "<mj-raw>", "</mj-text>", "<!--", "-->", "<![CDATA[", "]]>", "&lt;", "&", "<", ">", '"', "x", " ", "\x00", "<svg>",
     "<math>", "<style>", "<li>", "<ul>", "<br/>", "{{ name }}", "\ud800", "<?php", "</mj-section>", "<textarea>", "<table>"]
)  # fmt: skip
FRAGMENTS = st.one_of(st.lists(PIECES, max_size=40).map("".join), st.text(max_size=80))


@settings(max_examples=250)
@given(FRAGMENTS)
def test_nothing_harmful_comes_through(html: str) -> None:
    clean = rich_text(html)

    for harmful in ("<script", "<mj-", "<style", "<!--", "<svg", "javascript:", "\x00", "\ud800"):
        assert harmful not in clean.lower()


@settings(max_examples=150)
@given(st.text("abc <>&\"'é", max_size=20), st.sampled_from(["name", "first_name", "unsubscribe_url"]))
def test_no_merge_tag_is_lost(text: str, field: str) -> None:
    html = paragraphs_to_html([f"{text} {{{{ {field} }}}} {text}"])

    translated, _ = translate(rich_text(html), "html")

    assert token(MergeField(field), "html") in [tag.token for tag in tags_in(translated)]
