"""Subjects made of an edition's first headlines, short enough for the list of a phone's inbox."""

import re
from collections.abc import Iterator, Sequence

#: Characters that most inboxes show; half as many where each is as wide as two.
LONGEST = 50
MOST = 3
_SHORTEST = 12
#: What is put between two headlines, by language; elsewhere " · ".
_BETWEEN = {"zh": "｜", "ja": "｜", "ko": " · ", "ar": "، ", "fa": "، ", "ur": "، ", "fr": " ; "}
_WIDE_LANGUAGES = frozenset({"zh", "ja"})
#: Where a headline may end early and still be one.
_CLAUSE = re.compile(r"\s*[:;,，、。：；،؛|｜]\s*|\s+[-–—·]\s+")
#: A word that cannot stand last: articles, prepositions and the like are short.
_DANGLING = 3


def suggestions(headlines: Sequence[str], language: str = "en") -> tuple[str, ...]:
    """Up to three different subjects: the first headline, the first two together, the second, and the third where one is missing.

    No word is cut.

    `language` is a BCP 47 tag. A headline that cannot be shortened at a word or a mark is left out.
    """
    base = language.partition("-")[0].lower()
    longest = LONGEST // 2 if base in _WIDE_LANGUAGES else LONGEST
    written = dict.fromkeys(" ".join(headline.split()) for headline in headlines if headline.strip())
    made = dict.fromkeys(text for text in _made(tuple(written), _BETWEEN.get(base, " · "), longest) if text)
    return tuple(made)[:MOST]


def _made(headlines: Sequence[str], between: str, longest: int) -> Iterator[str]:
    first, second, third, *_ = (*headlines, "", "", "")
    yield shortened(first, longest)
    half = (longest - len(between)) // 2
    begun = shortened(first, half)
    rest = shortened(second, longest - len(between) - len(begun)) if begun else ""
    yield f"{begun}{between}{rest}" if begun and rest else ""
    yield shortened(second, longest)
    yield shortened(third, longest)


def shortened(headline: str, longest: int) -> str:
    """The headline, or its beginning that ends with a clause or at least with a whole word; empty when there is none."""
    if len(headline) <= longest:
        return headline
    shortest = min(_SHORTEST, longest // 4)
    ends = [match.start() for match in _CLAUSE.finditer(headline) if shortest <= match.start() <= longest]
    if ends:
        return headline[: ends[-1]]
    words = headline[: longest + 1].split(" ")[:-1]
    while words and len(words[-1].strip("’'\"")) <= _DANGLING and not words[-1].isdigit():
        words.pop()
    text = " ".join(words)
    return text if len(text) >= shortest else ""
