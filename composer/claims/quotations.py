"""Quoted passages, whatever the quotation marks, and whether a source has them."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

#: Longer passages are read up to here.
_LONGEST = 800
_QUOTED = re.compile(
    rf"“([^”“]{{1,{_LONGEST}}})[”“]|„([^“”]{{1,{_LONGEST}}})[“”]|«([^»]{{1,{_LONGEST}}})»|»([^«]{{1,{_LONGEST}}})«"
    rf"|(?<!\w)\"([^\"\n]{{1,{_LONGEST}}})\"|(?<!\w)‘([^’‘]{{1,{_LONGEST}}})’(?!\w)"
)
#: Left out, or put in by who quotes.
_GAP = re.compile(r"\[[^\]]{0,80}\]|\([^)]{0,5}\.\.\.\)|…|\.\s?\.\s?\.")
_WORD = re.compile(r"[^\W_]+(?:[’'][^\W_]+)*")
#: Fewer words in quotation marks are a name, or meant with irony.
LEAST_WORDS = 3
_MANY = 500


@dataclass(frozen=True)
class Passage:
    """What a source has, as a run of folded words."""

    text: str

    @cached_property
    def _words(self) -> list[re.Match[str]]:
        return list(_WORD.finditer(self.text))

    @cached_property
    def _folded(self) -> list[str]:
        return [_fold(word[0]) for word in self._words]

    @cached_property
    def _joined(self) -> str:
        return f" {' '.join(self._folded)} "

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for at, word in enumerate(self._folded):
            found[word].append(at)
        return found

    def has(self, words: list[str]) -> bool:
        rarest = min(words, key=lambda word: len(self._places.get(word, ())))
        places, offset = self._places.get(rarest, []), words.index(rarest)
        if len(places) > _MANY:
            return f" {' '.join(words)} " in self._joined
        return any(self._folded[at - offset : at - offset + len(words)] == words for at in places if at >= offset)

    def nearest(self, words: list[str]) -> str:
        """The run of as many words that shares most of them; "" when it shares less than half."""
        shared: dict[int, int] = defaultdict(int)
        for offset, word in enumerate(words):
            for place in self._places.get(word, ())[:_MANY]:
                shared[place - offset] += 1
        if not shared:
            return ""
        start = max(shared, key=lambda one: (shared[one], -one))
        if shared[start] * 2 < len(words):
            return ""
        first, last = max(0, start), min(len(self._words), start + len(words)) - 1
        return self.text[self._words[first].start() : self._words[last].end()]


def quotations(text: str) -> Iterator[str]:
    """The text's quoted passages of three words and more, without their marks."""
    for found in _QUOTED.finditer(text):
        passage = next(group for group in found.groups() if group)
        if len(_WORD.findall(passage)) >= LEAST_WORDS:
            yield passage


def pieces(passage: str) -> Iterator[tuple[str, list[str]]]:
    """The parts of a passage between what was left out or put in, each as written and as folded words."""
    for piece in _GAP.split(passage):
        words = [_fold(word) for word in _WORD.findall(piece)]
        if words:
            yield piece.strip(), words


def _fold(word: str) -> str:
    bare = unicodedata.normalize("NFKD", word).casefold()
    return "".join(letter for letter in bare if letter.isalnum())
