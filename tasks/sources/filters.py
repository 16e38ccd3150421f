"""Which of a source's stories are wanted, by its words."""

import re
from collections.abc import Iterable, Iterator

from composer.models import Source


def is_wanted(source: Source, text: str) -> bool:
    include, exclude = list(_words(source.include)), list(_words(source.exclude))
    folded = text.casefold()
    return (not include or _has_one(folded, include)) and not _has_one(folded, exclude)


def _words(written: str) -> Iterator[str]:
    return filter(None, (word.strip().casefold() for word in written.split(",")))


def _has_one(text: str, words: Iterable[str]) -> bool:
    """Whole words, but for scripts that put no spaces between them."""
    return any(
        re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) if word.isascii() else word in text for word in words
    )
