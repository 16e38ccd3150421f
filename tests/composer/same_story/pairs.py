"""The labelled pairs: stories.txt holds topics, of each two pieces of news (a, b), of each two tellings.

The same news is a pair; so are two pieces of news of one topic, which are hard to tell apart: the same company, the same
week. Every second topic is kept back: nothing was chosen by looking at those.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from composer.same_story.embedding import embed
from composer.same_story.features import Words

FILE = Path(__file__).with_name("stories.txt")
#: Tell news of other topics too.
ACROSS = ("Chinese", "Two languages")


@dataclass(frozen=True)
class Told:
    topic: str
    news: str
    words: Words
    is_kept_back: bool


@dataclass(frozen=True)
class Pair:
    first: Told
    second: Told
    is_same: bool


@cache
def stories() -> tuple[Told, ...]:
    found: list[Told] = []
    topic, topics = "", 0
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            topic, topics = line[2:], topics + 1
        elif line.strip():
            news, headline, lede = line.split(" | ")
            found.append(Told(topic, news, Words(headline, lede), topics % 2 == 0))
    return tuple(found)


def topics() -> Iterator[tuple[Told, ...]]:
    for topic in dict.fromkeys(story.topic for story in stories()):
        yield tuple(story for story in stories() if story.topic == topic)


def pairs() -> Iterator[Pair]:
    """Of each topic two pairs of the same news and two of other news."""
    for first, again, other, other_again in topics():
        yield Pair(first, again, True)
        yield Pair(other, other_again, True)
        yield Pair(first, other, False)
        yield Pair(again, other_again, False)


@cache
def vector(words: Words) -> bytes:
    return embed([words.text])[0]
