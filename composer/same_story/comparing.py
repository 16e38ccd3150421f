"""Whether two stories tell the same news: by the page they come from, by their headlines, by their words and meaning.

The weights are those of a logistic regression over the tuning half of tests/composer/same_story/stories.txt; the test beside it
holds what they reach, on the half that was kept back too.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz

from composer.same_story.features import Words, headline_in_text, shared_figures, shared_words

Reason = Literal["url", "headline", "meaning", "words", ""]
#: Shared words, shared figures, similarity of the vectors, constant. A sum of more than 0 is the same news.
WITH_VECTORS = (5.8, 4.6, 8.7, -7.55)
#: Shared words, shared figures, how much of a headline stands in the other story, constant.
WITHOUT_VECTORS = (6.7, 4.6, 4.9, -5.2)
#: Headlines this much alike (rapidfuzz, 0 to 100) are one headline with a slip, unless their figures differ.
SAME_HEADLINE = 92.0


@dataclass(frozen=True)
class Comparison:
    #: From 0 to 1; at 0.5 and above the two are taken for the same news.
    score: float
    reason: Reason = ""

    @property
    def is_same(self) -> bool:
        return self.score >= 0.5


def compare(
    first: Words, second: Words, *, urls: Sequence[str] = ("", ""), similarity: float | None = None
) -> Comparison:
    """How sure it is that two stories tell the same news.

    `urls` are the canonical addresses they come from (`composer.canonical_url`), "" for none; `similarity` is the cosine of their vectors, None where there are none.
    """
    if urls[0] and urls[0] == urls[1] and has_page(urls[0]):
        return Comparison(1.0, "url")
    if _headlines_are_alike(first, second):
        return Comparison(0.0) if _figures_differ(first, second) else Comparison(1.0, "headline")
    words, figures = shared_words(first, second), shared_figures(first, second)
    if similarity is None:
        last, weights = headline_in_text(first, second), WITHOUT_VECTORS
    else:
        last, weights = similarity, WITH_VECTORS
    total = weights[0] * words + weights[1] * figures + weights[2] * last + weights[3]
    score = _logistic(total)
    return Comparison(score, ("words" if similarity is None else "meaning") if score >= 0.5 else "")


def _headlines_are_alike(first: Words, second: Words) -> bool:
    one, other = first.folded_headline, second.folded_headline
    return bool(one and other and fuzz.token_sort_ratio(one, other, score_cutoff=SAME_HEADLINE) > 0)


def _figures_differ(first: Words, second: Words) -> bool:
    """Whether the headlines name figures and share none: two recalls of one maker are two pieces of news."""
    one, other = first.headline_values, second.headline_values
    return bool(one and other) and not one & other


def has_page(canonical: str) -> bool:
    """Whether a canonical address names a page: a site's front page is the source of many stories."""
    return canonical.count("/") > 2 or "?" in canonical


def _logistic(total: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))
