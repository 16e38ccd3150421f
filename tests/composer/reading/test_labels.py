"""Headlines that count in a form no list knows, or that only a sign makes stand out."""

import pytest

from composer.digest import Digest, DigestError, parse
from composer.reading.labels import without_labels

HEADLINES = ["Quay road closes", "Trams run at night", "Market gets a roof", "Library moves"]
T = "The council voted nine to four on Tuesday night to close the road, after a long debate about buses and bins."


def digest(*headlines: str) -> Digest:
    return parse("\n\n".join(["Weekly", "Good morning.", *(part for line in headlines for part in (line, T))]) + "\n")


def read(pattern: str, labels: str) -> Digest:
    return digest(*(pattern.format(label, headline) for label, headline in zip(labels.split(), HEADLINES, strict=True)))


@pytest.mark.parametrize(
    ("pattern", "labels"),
    [
        ("{}/4 {}", "1 2 3 4"),
        ("{} of 4 – {}", "1 2 3 4"),
        ("{{{}}} {}", "1 2 3 4"),
        ("№ {} {}", "1 2 3 4"),
        ("{}_ {}", "1 2 3 4"),
        ("{} {}", "⒈ ⒉ ⒊ ⒋"),
        ("*{}. {}*", "1 2 3 4"),
        ("__{}. {}__", "1 2 3 4"),
        ("🔥 {}. {}", "1 2 3 4"),
        ("第{}条 {}", "一 二 三 四"),
    ],
)
def test_numbers_in_any_dress_are_none_of_the_headlines(pattern: str, labels: str) -> None:
    found = read(pattern, labels)

    assert [story.headline for story in found.stories] == HEADLINES
    assert found.report.doubts == ()


@pytest.mark.parametrize(
    ("pattern", "labels"),
    [
        ("{} {}", "1 2 3 4"),
        ("{} {}", "01 02 03 04"),
        ("{}. {}", "I II III IV"),
        ("{}) {}", "i ii iii iv"),
        ("{}. {}", "A B C D"),
        ("{}) {}", "a b c d"),
        ("{}. {}", "가 나 다 라"),
        ("{}: {}", "First Second Third Fourth"),
        ("{}: {}", "1st 2nd 3rd 4th"),
        ("Story {}: {}", "One Two Three Four"),
        ("Capítulo {}: {}", "uno dos tres cuatro"),
    ],
)
def test_what_may_be_no_count_is_read_as_one_and_reported(pattern: str, labels: str) -> None:
    found = read(pattern, labels)

    assert [story.headline for story in found.stories] == HEADLINES
    (doubt,) = found.report.doubts
    assert (doubt.line, "3 more lines that count like it" in doubt.message) == (5, True)


@pytest.mark.parametrize(
    "pattern", ["→ {}", ">> {}", "— {} —", "=== {} ===", "{}:", "• {}", "_{}_", "📰 {}", "[CITY] {}"]
)
def test_a_sign_makes_a_headline_and_is_reported(pattern: str) -> None:
    found = digest(*(pattern.format(headline) for headline in HEADLINES))

    assert [headline in story.headline for story, headline in zip(found.stories, HEADLINES, strict=True)] == [True] * 4
    assert len(found.report.doubts) == 1


def test_letters_of_a_list_inside_a_story_are_no_headlines() -> None:
    found = parse(
        f"Weekly\n\nQuay road closes\n\n{T}\n\na) the buses\n\nb) the bins\n\nc) the bikes\n\nTrams run\n\n{T}\n"
    )

    assert [story.headline for story in found.stories] == ["Quay road closes", "Trams run"]


def test_headings_lose_the_numbers_that_count_them_all() -> None:
    found = digest(*(f"## {number} {headline}" for number, headline in enumerate(HEADLINES, start=1)))

    assert [story.headline for story in found.stories] == HEADLINES


def test_headings_keep_what_does_not_count_them() -> None:
    assert without_labels(["3 boats sink", "2 towns vote"]) is None
    assert without_labels(["1 boat sinks", "A town votes"]) is None


def test_a_quoted_digest_is_read_without_what_was_written_beside_it() -> None:
    inner = "\n".join(f"> {line}".rstrip() for line in ["Weekly", "", "1. Quay", "", T, "", "2. Trams", "", T])

    found = parse(f"Hi Ada, here it is:\n\n{inner}\n\nBest, Bob\n")

    assert (found.title, [story.line for story in found.stories]) == ("Weekly", [5, 9])
    assert [one.text for one in found.report.dropped] == ["Hi Ada, here it is:", "Best, Bob"]


def test_quotes_in_quotes_without_end_are_refused_and_nothing_worse() -> None:
    with pytest.raises(DigestError):
        parse("> Weekly\n" + f"{'>' * 2000}\n" * 100)
