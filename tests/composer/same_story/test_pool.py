"""A story among thousands."""

import time

import pytest

from composer.same_story import embedding
from composer.same_story.comparing import compare
from composer.same_story.features import Words
from composer.same_story.pool import Candidate, Pool
from tests.composer.same_story.pairs import stories

TRAMS = Words("Night trams start on four lines in December", "From 1 December trams run every thirty minutes.")


def found(*candidates: Candidate) -> list[str]:
    return [candidate.words.headline for candidate, _ in Pool(candidates, {}).same_news(0)]


@pytest.mark.parametrize(
    "url",
    ["https://www.example.com/trams/?utm_source=mail", "https://m.example.com/trams/amp", "http://example.com/tr%61ms"],
)
def test_the_same_page_is_the_same_news_whatever_the_words(url: str) -> None:
    other = Candidate(Words("Something else", "Of which nobody spoke."), url)

    assert found(Candidate(TRAMS, "https://example.com/trams"), other) == ["Something else"]


def test_a_front_page_is_the_source_of_many_stories() -> None:
    url = "https://example.com/"

    assert found(Candidate(TRAMS, url), Candidate(Words("A bridge is closed"), url)) == []


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("Night trams start in December", "Night trams start in Decembre", True),
        ("NIGHT TRAMS START IN DECEMBER", "Night trams start in December!", True),
        ("Tesla recalls 10,000 cars over brakes", "Tesla recalls 20,000 cars over brakes", False),
        ("", "", False),
    ],
)
def test_headlines_with_a_slip(first: str, second: str, same: bool) -> None:
    assert compare(Words(first), Words(second)).is_same is same


def test_the_surest_comes_first_and_itself_never() -> None:
    telling = Candidate(Words("City to run trams all night", "Four lines run every thirty minutes from 1 December."))
    repeat = Candidate(TRAMS)

    assert found(Candidate(TRAMS), telling, repeat, Candidate(Words("A bridge is closed"))) == [
        TRAMS.headline,
        "City to run trams all night",
    ]


def pool_of(size: int) -> Pool:
    """The labelled stories over and over, each time about another year, with vectors that are nobody's."""
    told = [story.words for story in stories()]
    candidates = [
        Candidate(
            Words(f"{told[at % len(told)].headline} {at}", told[at % len(told)].lede),
            f"https://example.com/{at}?utm_source=x",
        )
        for at in range(size)
    ]
    vectors = {at: bytes(2 * embedding.DIMENSIONS) for at in range(size)} if embedding.is_available() else {}
    return Pool(candidates, vectors)


def test_ten_thousand_stories_take_seconds_at_most() -> None:
    pool = pool_of(10_000)
    began = time.process_time()
    pool.same_news(0)
    first = time.process_time() - began
    pool.same_news(1)
    again = time.process_time() - began - first
    print(f"first query {first:.2f} s, each more {again:.2f} s")

    assert first < 3
    assert again < 1


@pytest.mark.parametrize(
    "text", ["a " * 100_000, "x" * 200_000, "1," * 100_000, "字" * 100_000, "一1 " * 60_000, "\u0301" * 200_000]
)
def test_hostile_texts_take_no_time(text: str) -> None:
    began = time.process_time()
    Pool([Candidate(Words(text, text), text), Candidate(Words(text + "b", text))], {}).same_news(0)

    assert time.process_time() - began < 1
