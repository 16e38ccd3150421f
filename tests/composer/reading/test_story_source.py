"""Where a story is from: what its last line, the end of its last paragraph or its headline says."""

import pytest

from composer.reading.document import Block, LinkLine, ListItem, Paragraph
from composer.reading.inline import as_html
from composer.reading.story_source import StorySource, or_the_headlines_link, without_source

TEXT = Paragraph(line=1, text="It closed.", html="It closed.")
POST = "https://www.post.example/a"


def line(text: str, html: str = "") -> Paragraph:
    return Paragraph(line=2, text=text, html=html or as_html(text))


def link(url: str, words: str) -> str:
    return f'<a href="{url}">{words}</a>'


def read_more(words: str = "Read more", url: str = POST, behind: str = "") -> Paragraph:
    return line(words + behind, link(url, words) + behind)


@pytest.mark.parametrize(
    ("last", "name", "url"),
    [
        (line("Source: Harbour Post"), "Harbour Post", ""),
        (line("Quelle：Hafenpost"), "Hafenpost", ""),
        (line("(via Harbour Post)"), "Harbour Post", ""),
        (line(f"Source: Harbour Post, {POST}"), "Harbour Post", POST),
        (line(f"Source: {POST}"), "post.example", POST),
        (LinkLine(line=2, text=POST, url=POST), "post.example", POST),
        (read_more(), "post.example", POST),
        (read_more(behind=" →"), "post.example", POST),
        (line(f"Read more: {POST}"), "post.example", POST),
        (line("Source: " + "x" * 120), "x" * 120, ""),
        (line(f"Source: {'x' * 90}, {POST}{'b' * 90}"), "x" * 90, f"{POST}{'b' * 90}"),
    ],
)
def test_a_last_line_that_names_it_is_taken_out(last: Block, name: str, url: str) -> None:
    rest, source = without_source([TEXT, last])

    assert (rest, source.name, source.url) == ([TEXT], name, url)


@pytest.mark.parametrize(
    "last",
    [
        line("Source: " + "x" * 121),
        # Its text, without what makes it a source, is short; as a line it is too long.
        line("Source: " + "-" * 220 + " Harbour Post"),
        line("Sources say: it closed"),
        ListItem(line=2, marker="-", text="Source: Harbour Post", html="Source: Harbour Post"),
        line("Source: A and B", f"Source: {link(POST, 'A')} and {link('https://b.example', 'B')}"),
        read_more("The council voted to close it"),
        read_more("Read more about all that was said there"),
        line("Read more and more", f"{link(POST, 'Read more')} and more"),
        line("Read more", f"{link(POST, 'Read')} {link('https://b.example', 'more')}"),
        Paragraph(line=2, text="Read more", html=link(POST, "Read more"), quote=True),
        Paragraph(line=2, text="It closed.", html="It closed."),
    ],
)
def test_a_last_line_that_says_something_else_stays(last: Block) -> None:
    assert without_source([TEXT, last]) == ([TEXT, last], StorySource())


@pytest.mark.parametrize(
    "above",
    [
        Paragraph(line=1, text="More on it:", html="More on it:"),
        ListItem(line=1, marker="-", text="Harbour", html="Harbour"),
        LinkLine(line=1, text="https://b.example", url="https://b.example"),
    ],
)
def test_a_link_that_belongs_to_what_is_above_it_is_no_source(above: Block) -> None:
    _, source = without_source([TEXT, above, LinkLine(line=2, text=POST, url=POST)])

    assert not source


def test_the_words_of_a_link_that_is_the_source_are_reported() -> None:
    _, source = without_source([TEXT, read_more()])

    (dropped,) = source.dropped
    assert (dropped.line, dropped.text, dropped.reason) == (2, "Read more", "the words of a link that is the source")


def test_via_at_the_end_of_a_paragraph_is_cut_off() -> None:
    html = f"It closed. (via {link(POST, 'Harbour Post')})"
    (last,), source = without_source([line("It closed. (via Harbour Post)", html)])

    assert (last.text, last.html) == ("It closed.", "It closed.")
    assert (source.name, source.url) == ("Harbour Post", POST)


@pytest.mark.parametrize(
    "last",
    [
        line("(via Harbour Post)"),
        line("It closed (via Harbour Post) on Monday."),
        ListItem(line=2, marker="-", text="It closed. (via Harbour Post)", html="It closed. (via Harbour Post)"),
        line("It closed. (via A and B)", f"It closed. (via {link(POST, 'A')} and {link('https://b.example', 'B')})"),
    ],
)
def test_a_paragraph_that_is_nothing_else_or_goes_on_stays(last: Block) -> None:
    assert without_source([last]) == ([last], StorySource())


def test_a_story_of_nothing_has_no_source() -> None:
    assert without_source([]) == ([], StorySource())


def test_the_link_of_the_headline_is_the_address_where_the_story_names_none() -> None:
    headline = line("Quay and Trams", f"{link(POST, 'Quay')} and {link('https://b.example/b', 'Trams')}")

    alone = or_the_headlines_link(StorySource(), headline)
    named = or_the_headlines_link(StorySource(name="Harbour Post"), headline)
    known = or_the_headlines_link(StorySource(name="C", url="https://c.example"), headline)
    same = or_the_headlines_link(StorySource(name="Post", url=POST), headline)

    assert (alone.name, alone.url) == ("post.example", POST)
    assert (named.name, named.url) == ("Harbour Post", POST)
    assert [[one.text for one in source.dropped] for source in (alone, known, same)] == [
        ["https://b.example/b"],
        [POST, "https://b.example/b"],
        ["https://b.example/b"],
    ]
    assert {one.line for one in known.dropped} == {2}
    assert (known.name, known.url) == ("C", "https://c.example")


def test_an_address_in_the_headlines_words_is_none() -> None:
    assert or_the_headlines_link(StorySource(), line(f"See {POST}")) == StorySource()
