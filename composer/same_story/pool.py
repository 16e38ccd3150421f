"""Many stories, and those among them that tell the same news as one: thousands are looked through, few compared in full."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

from composer.canonical_url import canonical_url
from composer.same_story import embedding
from composer.same_story.comparing import Comparison, compare, has_page
from composer.same_story.features import Words, rough_stems

#: Of the nearest by words, and by vectors, so many are compared in full.
MOST_COMPARED = 40
MOST_FOUND = 3
#: Fewer words in common are none.
_LEAST_WORDS = 2


@dataclass(frozen=True)
class Candidate:
    words: Words
    #: Where it comes from, as it is written; "" for nowhere.
    url: str = ""
    #: None for a story that is not saved.
    story: int | None = None


class Pool:
    def __init__(self, candidates: Sequence[Candidate], vectors: Mapping[int, bytes]) -> None:
        """`vectors` are those that are at hand, by the candidate's position."""
        self._candidates = candidates
        self._vectors = vectors
        self._urls: dict[int, str] = {}

    def same_news(self, at: int, *, among: range | None = None) -> list[tuple[Candidate, Comparison]]:
        """The candidates that tell the same news as the one at a position, the surest first, at most MOST_FOUND."""
        one, similar = self._candidates[at], self._similar(at)
        chosen = {*self._same_page(at), *self._nearest_by_words(at), *list(similar)[:MOST_COMPARED]} - {at}
        found = []
        for other in chosen if among is None else chosen & set(among):
            urls = (self._url(at), self._url(other))
            judged = compare(one.words, self._candidates[other].words, urls=urls, similarity=similar.get(other))
            if judged.is_same:
                found.append((self._candidates[other], judged))
        return sorted(found, key=lambda pair: -pair[1].score)[:MOST_FOUND]

    def _similar(self, at: int) -> dict[int, float]:
        """The cosine of each vector with this candidate's, the nearest first."""
        if at not in self._vectors:
            return {}
        positions = list(self._vectors)
        (cosines,) = embedding.similarities([self._vectors[at]], [self._vectors[other] for other in positions])
        return dict(sorted(zip(positions, cosines, strict=True), key=lambda pair: -pair[1]))

    def _nearest_by_words(self, at: int) -> list[int]:
        words = self._candidates[at].words
        counted = Counter(other for stem in rough_stems(words.text) for other in self._index.get(stem, ()))
        return [other for other, shared in counted.most_common(MOST_COMPARED) if shared >= _LEAST_WORDS]

    @cached_property
    def _index(self) -> Mapping[str, Sequence[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for at, candidate in enumerate(self._candidates):
            for stem in rough_stems(candidate.words.text):
                found[stem].append(at)
        # A word of every second story, such as the field's own, tells nothing, and most of the work would go into it.
        most = max(50, len(self._candidates) // 4)
        return {stem: positions for stem, positions in found.items() if len(positions) <= most}

    def _same_page(self, at: int) -> list[int]:
        url = self._url(at)
        if not url or not has_page(url):
            return []
        # Unless it is escaped, an address has the last part of its canonical path in it: most need no closer look.
        last = unquote(url.partition("?")[0].rpartition("/")[2])
        return [
            other
            for other, candidate in enumerate(self._candidates)
            if (last in candidate.url or "%" in candidate.url) and self._url(other) == url
        ]

    def _url(self, at: int) -> str:
        if at not in self._urls:
            self._urls[at] = canonical_url(self._candidates[at].url)
        return self._urls[at]
