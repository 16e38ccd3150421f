"""Text → numbers of word pieces, as BERT's uncased models read it (Devlin et al. 2018; vocab.txt of the model).

Accents and case go, punctuation and Chinese characters stand alone, and each word is cut into the longest pieces that the
vocabulary has.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

_CLS, _SEP, _UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
#: A longer word is unknown, which also bounds the work on it (BERT's own limit).
_LONGEST_WORD = 100


def vocabulary(path: Path) -> dict[str, int]:
    """The pieces of a vocab.txt with their numbers: one a line, from 0."""
    return {piece: number for number, piece in enumerate(path.read_text(encoding="utf-8").split("\n")) if piece}


def pieces(text: str, numbers: Mapping[str, int], *, most: int) -> list[int]:
    """The numbers of the text's first pieces, at most `most` with the marks of its beginning and end."""
    found = [numbers[_CLS]]
    # A piece has a character at least, so what is beyond cannot be used.
    for word in _words(text[: most * 12]):
        found += _cut(word, numbers)
        if len(found) >= most:
            break
    return [*found[: most - 1], numbers[_SEP]]


def _words(text: str) -> Iterator[str]:
    word: list[str] = []
    for character in unicodedata.normalize("NFD", text.lower()):
        category = unicodedata.category(character)
        alone = _stands_alone(character, category)
        if alone or character.isspace():
            if word:
                yield "".join(word)
                word = []
            if alone:
                yield character
        elif category not in {"Mn", "Cc", "Cf"}:
            word.append(character)
    if word:
        yield "".join(word)


def _stands_alone(character: str, category: str) -> bool:
    is_ascii_mark = character.isascii() and not character.isalnum() and not character.isspace() and character > " "
    return is_ascii_mark or category.startswith("P") or "\u3400" <= character <= "\u9fff"


def _cut(word: str, numbers: Mapping[str, int]) -> list[int]:
    if len(word) > _LONGEST_WORD:
        return [numbers[_UNKNOWN]]
    found: list[int] = []
    start = 0
    while start < len(word):
        prefix = "##" if start else ""
        end = next((end for end in range(len(word), start, -1) if prefix + word[start:end] in numbers), None)
        if end is None:
            return [numbers[_UNKNOWN]]
        found.append(numbers[prefix + word[start:end]])
        start = end
    return found
