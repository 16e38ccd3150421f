import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from composer import digest as digests
from composer.digest import DigestError, parse
from composer.reading.phrases import furniture, furniture_at_the_end
from newsdesk.core.paths import samples_dir
from tests.composer.editions import PUBLICATION

SHARED = Path(__file__).resolve().parents[3] / "shared" / "digests"

DIGEST = """top of page
  •\u00a0Writer's pictureSomebody

The Weekly: All There Is

Hello again.

1. First Headline

A first lede sentence.

More of the first story.

2. Second Headline

A second lede sentence.

Wrapping Up

That is all for now.

To delve deeper into it, click here.

Comments

bottom of page
"""


def refused(text: str | bytes) -> DigestError:
    with pytest.raises(DigestError) as caught:
        parse(text)
    return caught.value


def test_it_reads_every_part() -> None:
    found = parse(DIGEST)

    assert found.title == "The Weekly: All There Is"
    assert found.introduction == ("Hello again.",)
    assert [(story.number, story.headline, story.lede, story.paragraphs, story.line) for story in found.stories] == [
        (1, "First Headline", "A first lede sentence.", ("More of the first story.",), 8),
        (2, "Second Headline", "A second lede sentence.", (), 14),
    ]
    assert (found.closing_heading, found.closing) == ("Wrapping Up", ("That is all for now.",))
    assert found.call_to_action is not None
    assert found.call_to_action.text == "To delve deeper into it, click here."
    assert found.call_to_action.url == ""


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: "\n".join(line for line in text.split("\n") if line.strip()),
        lambda text: text.replace("\n", "\n\n\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.rstrip(),
        lambda text: text.replace("1. F", "1.F").replace("2. S", "2 .\tS"),
        lambda text: text.replace("\n\n", "\n \t\u00a0\n"),
    ],
    ids=["windows", "old-mac", "no-blank-lines", "many-blank-lines", "bom", "no-last-line-end", "spacing", "nbsp"],
)
def test_line_ends_and_blank_lines_do_not_matter(change: Callable[[str], str]) -> None:
    plain, changed = parse(DIGEST), parse(change(DIGEST))

    assert changed.title == plain.title
    assert [(story.headline, story.lede, story.paragraphs) for story in changed.stories] == [
        (story.headline, story.lede, story.paragraphs) for story in plain.stories
    ]
    assert changed.closing == plain.closing


def test_wrapped_lines_are_joined() -> None:
    text = DIGEST.replace(
        "A first lede sentence.",
        "A first lede that somebody wrapped at a fixed number of columns, and\nthat goes on over three lines, among "
        "them one that begins with\n2. March, which is a date.",
    )

    found = parse(text)

    assert found.stories[0].lede.endswith("one that begins with 2. March, which is a date.")
    assert len(found.stories) == 2


def test_a_url_in_the_call_to_action_is_its_link() -> None:
    call = parse(DIGEST.replace("click here.", "read the report: https://example.com/a_(b)?c=d.")).call_to_action

    assert call is not None
    assert call.url == "https://example.com/a_(b)?c=d"
    assert call.text == "To delve deeper into it, read the report"


def test_a_closing_without_a_call_keeps_its_paragraphs() -> None:
    found = parse(DIGEST.replace("To delve deeper into it, click here.", "See you on Friday."))

    assert found.call_to_action is None
    assert found.closing == ("That is all for now.", "See you on Friday.")


def test_headings_inside_a_story_become_small_headings() -> None:
    found = parse(DIGEST.replace("More of the first story.", "What It Means\n\nMore of the first story."))

    assert found.stories[0].paragraphs == ("What It Means", "More of the first story.")
    assert found.warnings == (
        "line 12: “What It Means” was read as a small heading inside story 1; number it if it is a headline",
    )
    assert found.stories[0].body_html == "<h3>What It Means</h3><p>More of the first story.</p>"


def test_furniture_words_inside_sentences_stay() -> None:
    found = parse(DIGEST.replace("More of the first story.", "Comments were closed at the bottom of page one."))

    assert found.stories[0].paragraphs == ("Comments were closed at the bottom of page one.",)


def test_a_sentence_that_begins_with_a_number_is_text() -> None:
    sentence = "12. December marks the tenth birthday of the oldest shop in town."

    found = parse(DIGEST.replace("More of the first story.", sentence))

    assert found.stories[0].paragraphs == (sentence,)
    assert found.warnings == ("line 12: begins with “12.” but was read as text, not as a headline",)


def test_a_sentence_with_the_next_number_is_text_when_the_headline_follows() -> None:
    sentence = "2. January was the day on which the whole affair had begun."

    found = parse(DIGEST.replace("More of the first story.", sentence))

    assert [story.headline for story in found.stories] == ["First Headline", "Second Headline"]
    assert found.stories[0].paragraphs == (sentence,)


def test_a_backslash_keeps_a_number_from_making_a_headline() -> None:
    found = parse(DIGEST.replace("More of the first story.", "7\\. of May"))

    assert found.stories[0].paragraphs == ("7. of May",)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "the file is empty"),
        ("top of page\n\nbottom of page\n", 1, "the file is empty"),
        ("Title\n\nSome text.\n", 1, "no stories found"),
        ("\n1. Headline\n\nText.\n", 2, "no title"),
        (DIGEST.replace("2. Second", "3. Second"), 14, "story 2 is missing: after 1 comes 3"),
        (DIGEST.replace("1. First", "2. First"), 8, "story 1 is missing: the first story is numbered 2"),
        (DIGEST.replace("2. Second", "1. Second"), 14, "number 1 again .first on line 8.: number this headline 2"),
        (DIGEST.replace("2. Second", "0. Second"), 14, "no story number 0"),
        (DIGEST.replace("2. Second Headline", "2."), 14, "number 2 has no headline"),
        (DIGEST.partition("A second")[0], 14, "story 2 has no text"),
        (DIGEST.replace("2. Second Headline", "Second Headline").replace("Wrapping", "3. Wrapping"), 18, "line 14"),
        (
            DIGEST.replace(
                "A second lede sentence.", "A lede.\n\n3. That is how many of them were left at the end.\n\nX."
            ),
            18,
            "may be a headline or a sentence",
        ),
        (DIGEST.replace("Hello", "Hel\0lo"), 6, "a NUL character"),
        (DIGEST.replace("Hello", "Hel\x1blo"), 6, "control character .U.001B"),
        (DIGEST.replace("Hello", "Hel\ud83dlo"), 6, "half a character"),
        (DIGEST + "x" * 2_000_000, 1, "at most 2,000,000"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_line(text: str, line: int, message: str) -> None:
    error = refused(text)

    assert error.line == line
    assert str(error).startswith(f"line {line}: ")
    assert re.search(message, error.message)


WORDS = st.sampled_from(
    ["the", "Ship", "of", "12.", "3.", "2.", "1)", "it’s", "“Yes,”", "ends.", "why?", "漢字", "naïve", "(see", "below)",
     "https://example.com/a?b=c.", "click", "here.", "read", "more", "comments", "Wrapping", "Up", "&", "—", "•", "\\"]
)  # fmt: skip
LINE = (
    st.lists(WORDS, min_size=1, max_size=14)
    .map(" ".join)
    .filter(lambda line: not furniture(line) and not furniture_at_the_end(line))
)
FURNITURE = st.sampled_from(["top of page", "3 comments", "bottom of page", "  •\u00a0Writer's pictureA B"])


@st.composite
def digest_texts(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A digest of arbitrary words, and those of its words that are not furniture."""
    lines = [f"T{draw(LINE)}", draw(LINE)]
    for number in range(1, draw(st.integers(1, 4)) + 1):
        lines.append(f"{number}. H{draw(LINE)}")
        lines += draw(st.lists(LINE, min_size=1, max_size=3))
    if draw(st.booleans()):
        lines += ["Wrapping Up", *draw(st.lists(LINE, max_size=2))]
    words = [word for line in lines for word in line.split()]
    mixed = []
    for line in lines:
        mixed += [line, *draw(st.lists(FURNITURE, max_size=1)), *draw(st.sampled_from([[], [""], ["", "", ""]]))]
    return "\n".join(mixed), words


@settings(max_examples=100)
@given(digest_texts())
def test_no_word_is_lost(example: tuple[str, list[str]]) -> None:
    text, words = example
    try:
        found = parse(text)
    except DigestError as error:
        assume(error.line > text.count("\n") + 1)  # refused by one of its lines: nothing to compare
        raise

    kept = [found.title, *found.introduction, found.closing_heading, *found.closing]
    for story in found.stories:
        kept += [f"{story.number}. {story.headline}", story.lede, *story.paragraphs, story.source_url]
    kept += [section.heading for section in found.sections]
    kept += [one.text for one in found.report.dropped if furniture(one.text) == ""]
    if found.call_to_action:
        kept += [found.call_to_action.text, found.call_to_action.url]
    letters = sorted(letter for letter in "".join(kept) if letter.isalnum())
    assert letters == sorted(letter for letter in "".join(words) if letter.isalnum())


@settings(max_examples=200)
@given(st.one_of(st.text(max_size=400), st.binary(max_size=400)))
def test_anything_is_read_or_refused(raw: str | bytes) -> None:
    with suppress(DigestError):
        assert parse(raw).stories


@pytest.mark.parametrize(("name", "stories"), [("city-week", 8), ("technology-week", 12), ("science-week", 6)])
def test_the_samples_are_whole(name: str, stories: int) -> None:
    found = parse((samples_dir() / f"{name}.txt").read_bytes())

    assert len(found.stories) == stories
    assert found.closing_heading == "Wrapping Up"
    assert found.call_to_action
    assert found.warnings == ()


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared digests are not at hand")
def test_the_shared_digests_are_whole() -> None:
    counts = {}
    for path in sorted(SHARED.glob("*.txt")):
        found = parse(path.read_bytes())
        lines = [line.strip() for line in path.read_text().splitlines()]
        counts[path.name[:3]] = len(found.stories)
        assert all(f"{story.number}. {story.headline}" in lines for story in found.stories)
        assert found.call_to_action
        assert found.call_to_action.text.startswith("To delve deeper")

    assert counts == {"000": 8, "002": 12, "004": 6}


def test_content_repeats_its_keys_and_fills_the_inbox_line() -> None:
    first, second = (digests.content(parse(DIGEST), PUBLICATION) for _ in range(2))

    assert first == second
    assert first.subject == first.title
    assert first.preheader == "First Headline · Second Headline"
    assert [story.lede for story in first.stories] == ["A first lede sentence.", "A second lede sentence."]
