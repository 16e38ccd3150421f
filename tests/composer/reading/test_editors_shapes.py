"""Shapes that editors really paste, beside those that went wrong once: each with its stories, closing and sources."""

import pytest

from composer.digest import Digest, parse

T = "The council voted nine to four on Tuesday night to close the road, after a long debate about buses and bins."
U = "Officials said the work would begin in May and be finished before the summer holidays, weather permitting."


def two(first: str, second: str, *, end: str = "") -> Digest:
    """A digest with two stories under these lines."""
    return parse(f"Weekly\n\n{first}\n\n{T}\n\n{second}\n\n{U}\n\n{end}\n")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("1 — Quay closes", "2 — Trams run"),
        ("No. 1: Quay closes", "No. 2: Trams run"),
        ("01. Quay closes", "02. Trams run"),
        ("**1.** Quay closes", "**2.** Trams run"),
        ("[1] Quay closes", "[2] Trams run"),
        ("#1: Quay closes", "#2: Trams run"),
        ("1.\nQuay closes", "2.\nTrams run"),
        ("1.\n\nQuay closes", "2.\n\nTrams run"),
        ("#1\nQuay closes", "#2\nTrams run"),
        ("1.\tQuay closes", "2.\tTrams run"),
        ("1\ufe0f\u20e3 Quay closes", "2\ufe0f\u20e3 Trams run"),
    ],
)
def test_both_stories_are_read(first: str, second: str) -> None:
    digest = two(first, second)
    assert [story.headline for story in digest.stories] == ["Quay closes", "Trams run"]
    assert digest.introduction == ()


@pytest.mark.parametrize(
    "farewell",
    [
        "That’s it for this week. See you next Friday!",
        "Thanks for reading!",
        "Until next week.",
        "Have a great weekend!",
        "Das war’s für heute. Bis nächste Woche!",
        "Merci de votre lecture. À la semaine prochaine !",
        "Eso es todo por hoy. ¡Hasta la semana que viene!",
        "感谢您的阅读，下周再见！",
        "תודה שקראתם. נתראה בשבוע הבא!",
        "شكرا على قراءتكم. إلى اللقاء",
    ],
)
def test_a_farewell_is_the_closing_with_what_follows_it(farewell: str) -> None:
    digest = two("1. Quay closes", "2. Trams run", end=f"{farewell}\n\nJane")

    assert (digest.closing_heading, digest.closing) in (
        ("", (farewell, "Jane")),
        (farewell, ("Jane",)),
    )
    assert digest.stories[1].body_html == ""


@pytest.mark.parametrize(
    "sentence",
    [
        "That’s it, said the mayor, and left the hall.",
        "That’s it. The mayor left the hall before the vote was counted.",
        "Thanks to the council the road is closed now.",
        "See you in court, the shopkeepers wrote to the mayor on Tuesday.",
    ],
)
def test_a_sentence_that_only_begins_like_one_stays_in_its_story(sentence: str) -> None:
    digest = two("1. Quay closes", "2. Trams run", end=sentence)

    assert digest.closing == ()
    assert sentence.rsplit(maxsplit=1)[-1] in digest.stories[1].body_html


def test_a_farewell_inside_the_digest_stays_where_it_is() -> None:
    digest = parse(f"Weekly\n\n1. Quay\n\n{T}\n\nThank you for reading.\n\n2. Trams\n\n{U}\n")
    assert "Thank you for reading" in digest.stories[0].body_html


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ("(via The Post)", ("The Post", "")),
        ("Via: The Post, https://example.com/a", ("The Post", "https://example.com/a")),
        ("Read more: https://example.com/a", ("example.com", "https://example.com/a")),
        ("https://example.com/a", ("example.com", "https://example.com/a")),
    ],
)
def test_sources(line: str, source: tuple[str, str]) -> None:
    story = parse(f"Weekly\n\n1. Quay\n\n{T}\n\n{U} \n\n{line}\n\n2. Trams\n\n{U}\n").stories[0]
    assert (story.source_name, story.source_url) == source


def test_a_source_at_the_end_of_a_paragraph_is_taken_out_of_it() -> None:
    digest = parse(
        f"<h1>Weekly</h1><h2>Quay</h2><p>{T}</p><p>{U} (via <a href='https://example.com/a'>The Post</a>)</p>"
        f"<h2>Trams</h2><p>{U} (via trains, he said) and more.</p>"
    )
    first, second = digest.stories

    assert (first.source_name, first.source_url) == ("The Post", "https://example.com/a")
    assert "via" not in first.body_html
    assert second.source_name == ""
    assert "(via trains, he said)" in second.lede


def test_a_forwarded_mail_is_its_text() -> None:
    digest = parse(
        "---------- Forwarded message ---------\nFrom: Jane <jane@example.com>\nDate: Tue, 24 Nov 2026\nSubject: Weekly\nTo: Bo\n\n"
        f"Weekly\n\n1. Quay\n\n{T}\n\n2. Trams\n\n{U}\n\n-- \nJane Doe\nHarbour Ltd\n"
    )

    assert (digest.title, len(digest.stories)) == ("Weekly", 2)
    assert "Jane" not in digest.stories[1].body_html
    assert {one.reason for one in digest.report.dropped} >= {"the header of a mail", "a mail's signature"}
