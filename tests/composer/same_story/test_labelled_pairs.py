"""How many of the labelled pairs are told apart, with the extra newsdesk[radar] and without it."""

from collections.abc import Callable, Iterable
from itertools import combinations

import pytest

from composer.digest import parse
from composer.same_story import embedding
from composer.same_story.comparing import Comparison, compare
from composer.same_story.features import words
from newsdesk.core.paths import samples_dir
from tests.composer.same_story.pairs import ACROSS, Pair, Told, pairs, stories, vector

needs_extra = pytest.mark.skipif(not embedding.is_available(), reason="the extra newsdesk[radar] is not installed")
Judge = Callable[[Told, Told], Comparison]


def by_meaning(first: Told, second: Told) -> Comparison:
    ((similarity,),) = embedding.similarities([vector(first.words)], [vector(second.words)])
    return compare(first.words, second.words, similarity=similarity)


def by_words(first: Told, second: Told) -> Comparison:
    return compare(first.words, second.words)


def precision_and_recall(chosen: Iterable[Pair], judge: Judge) -> tuple[float, float]:
    judged = [(pair.is_same, judge(pair.first, pair.second).is_same) for pair in chosen]
    right = sum(is_same and said for is_same, said in judged)
    return right / sum(said for _, said in judged), right / sum(is_same for is_same, _ in judged)


def halves() -> dict[str, list[Pair]]:
    every = list(pairs())
    return {
        "tuning": [pair for pair in every if not pair.first.is_kept_back],
        "kept back": [pair for pair in every if pair.first.is_kept_back],
        "all": every,
    }


def test_there_are_enough_pairs_and_half_are_hard_negatives() -> None:
    labels = [pair.is_same for pair in pairs()]

    assert len(labels) >= 300
    assert sum(labels) * 2 == len(labels)
    assert len({story.words for story in stories()}) == len(stories())


@needs_extra
def test_with_the_extra() -> None:
    reached = {name: precision_and_recall(half, by_meaning) for name, half in halves().items()}
    print({name: f"precision {precision:.3f}, recall {recall:.3f}" for name, (precision, recall) in reached.items()})

    assert all(precision >= 0.95 for precision, _ in reached.values())
    assert reached["all"][1] >= 0.85


def test_without_the_extra() -> None:
    reached = {name: precision_and_recall(half, by_words) for name, half in halves().items()}
    print({name: f"precision {precision:.3f}, recall {recall:.3f}" for name, (precision, recall) in reached.items()})

    assert all(precision >= 0.92 for precision, _ in reached.values())
    assert reached["all"][1] >= 0.70


def false_alarms(judge: Judge) -> tuple[int, int]:
    """Of all pairs of different topics, those that are taken for the same news."""
    told = [story for story in stories() if not story.topic.startswith(ACROSS)]
    others = [(one, other) for one, other in combinations(told, 2) if one.topic != other.topic]
    return sum(judge(one, other).is_same for one, other in others), len(others)


@needs_extra
def test_other_topics_are_hardly_ever_suggested() -> None:
    alarms, compared = false_alarms(by_meaning)
    print(f"{alarms} of {compared}")

    assert alarms / compared < 0.0002


def test_other_topics_are_seldom_suggested_without_the_extra() -> None:
    alarms, compared = false_alarms(by_words)
    print(f"{alarms} of {compared}")

    assert alarms / compared < 0.001


@pytest.mark.parametrize("judge", [pytest.param(by_meaning, marks=needs_extra), by_words])
def test_the_stories_of_one_town_and_week_are_not_the_same_news(judge: Judge) -> None:
    # They share a "two" and a "four" spelt out.
    digest = parse((samples_dir() / "city-week.txt").read_text(encoding="utf-8"))
    told = [Told("", "", words(story.headline, story.lede, story.body_html), False) for story in digest.stories]

    assert [(one, other) for one, other in combinations(told, 2) if judge(one, other).is_same] == []
