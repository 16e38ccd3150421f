"""One name written in two ways: ByteDance and Bytedance, Nestlé and Nestle, Tik Tok and TikTok, Shein and Shien.

A name is a word with a capital where no sentence begins. Headlines are no evidence for one, since many write every Word
of them with a capital; but a misspelt name in a headline is found by its right spelling in the text.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from composer.checks.context import CheckContext, Problem, Text

#: Shorter names differ by one letter too often (Iran, Iraq).
_SHORTEST_ALIKE, _SHORTEST_MISSPELT = 4, 5
#: Longer words are no names.
_LONGEST = 60
_TAG = re.compile(r"\{\{[^{}]*\}\}")
_UNSPACED = re.compile(r"\S+")
_ADDRESS = re.compile(r".://.|.@.")
_WORD = re.compile(r"[^\W_]+(?:[-’'.&][^\W_]+)*")
_POSSESSIVE = re.compile(r"[’']s?$")
_BEGINS = re.compile(r"(?:^|[.!?:…]|[\n“”\"‘(\[•·–—])[\s“\"‘(\[]*$")
#: So many signs before a word tell whether a sentence begins with it.
_BEFORE = 40
#: What a language adds to a name to make another word of it: Asia, Asian.
_ENDINGS = set("snydeiaoru")
#: Every noun of these languages has a capital.
_CAPITALS_FOR_NOUNS = {"de", "lb"}


@dataclass
class _Form:
    """One spelling and where it stands."""

    written: str
    where: str
    #: Seen with a capital where no sentence begins, in running text.
    is_name: bool = False
    count: int = 0


@dataclass
class _Vocabulary:
    """The words of an edition, by their spelling."""

    forms: dict[str, _Form] = field(default_factory=dict)
    #: Words seen without a capital: no names.
    common: set[str] = field(default_factory=set)

    def add(self, written: str, where: str, *, is_name: bool) -> None:
        form = self.forms.setdefault(written, _Form(written, where))
        form.count += 1
        form.is_name |= is_name


def check(context: CheckContext) -> Iterator[Problem]:
    vocabulary = _Vocabulary()
    for text in context.texts:
        if text.kind in {"text", "html"} and not text.text.isupper():
            _read(text, vocabulary)
    german = context.content.publication.language.lower()[:2] in _CAPITALS_FOR_NOUNS
    pairs = [*_alike(vocabulary), *(() if german else _misspelt(vocabulary))]
    for first, second in pairs:
        message = (
            f"“{first.written}” ({first.where}) and “{second.written}” ({second.where}) look like one name "
            "written in two ways; write it one way"
        )
        yield Problem(level="warning", code="names.differ", message=message, where=second.where)


def _read(text: Text, vocabulary: _Vocabulary) -> None:
    shown = _UNSPACED.sub(_without_address, _TAG.sub(" ", text.text))
    words = list(_WORD.finditer(shown))
    # A line in which nearly every longer word has a capital is a headline.
    long = [word[0] for word in words if len(word[0]) > 4]
    headline = len(long) > 1 and sum(word[0].isupper() for word in long) > len(long) * 0.7
    before, before_is_name = None, False
    for word in words:
        written = _POSSESSIVE.sub("", word[0])
        has_capital = any(letter.isupper() for letter in written)
        is_name = (
            has_capital and not headline and not _BEGINS.search(shown, max(0, word.start() - _BEFORE), word.start())
        )
        if has_capital:
            vocabulary.add(written, text.where, is_name=is_name)
        elif not written.isdigit():
            vocabulary.common.add(written.casefold())
        # Two words of which each has a capital may be one name written apart: Tik Tok, Lemon 8.
        if before and shown[before.end() : word.start()] == " " and (written[0].isupper() or written.isdigit()):
            vocabulary.add(f"{before[0]} {written}", text.where, is_name=before_is_name)
        before = word if written[0].isupper() and not word[0].isupper() and written == word[0] else None
        before_is_name = is_name


def _without_address(match: re.Match[str]) -> str:
    """What stands between two blanks, without an address of the web or of mail in it."""
    written = match[0]
    return " " if _ADDRESS.search(written) else re.sub(r"www\..*", " ", written)


def _alike(vocabulary: _Vocabulary) -> Iterator[tuple[_Form, _Form]]:
    """Names that differ in case, accents or spacing alone."""
    groups: dict[str, list[_Form]] = defaultdict(list)
    for form in vocabulary.forms.values():
        groups[_folded(form.written)].append(form)
    for folded, forms in groups.items():
        if len(folded) < _SHORTEST_ALIKE or not any(form.is_name for form in forms):
            continue
        for second in forms[1:]:
            if _really_differ(forms[0].written, second.written) and folded not in vocabulary.common:
                yield forms[0], second
                break


def _really_differ(first: str, second: str) -> bool:
    """Whether the difference is more than a capital that a headline gives, or shouting."""
    if first.isupper() or second.isupper():
        other = second if first.isupper() else first
        return any(letter.isupper() for letter in other[1:]) and not other.isupper() and " " not in first + second
    return _headlined(first) != _headlined(second)


@lru_cache(maxsize=4096)
def _headlined(written: str) -> str:
    return re.sub(r"(^|[-.& ])(\w)", lambda match: match[1] + match[2].upper(), written)


def _misspelt(vocabulary: _Vocabulary) -> Iterator[tuple[_Form, _Form]]:
    """Names one edit apart, of which the rarer one is probably a slip."""
    names = [form for form in vocabulary.forms.values() if form.is_name and _may_be_misspelt(form, vocabulary)]
    others = [form for form in vocabulary.forms.values() if _may_be_misspelt(form, vocabulary)]
    nearby = _Nearby(others)
    for name in names:
        for other in nearby.to(name):
            if other.is_name and (other.count, other.written) >= (name.count, name.written):
                continue  # each pair once, the likelier slip second
            first, second = _folded(name.written), _folded(other.written)
            # Two words seen once each may well be two words: Sensor, Senior.
            certain = name.count > 1 or len(first) != len(second) or len(first) > 6 or sorted(first) == sorted(second)
            if certain and _one_edit(first, second):
                yield name, other


class _Nearby:
    """Words that may be one edit apart: those that are the same once a letter is left out, of one of them or of each."""

    def __init__(self, forms: list[_Form]) -> None:
        self._forms = forms
        self._places: dict[str, list[int]] = defaultdict(list)
        for place, form in enumerate(forms):
            for rest in _with_a_letter_less(form):
                self._places[rest].append(place)

    def to(self, form: _Form) -> Iterator[_Form]:
        """In the order that they were given in."""
        places = {place for rest in _with_a_letter_less(form) for place in self._places.get(rest, ())}
        return (self._forms[place] for place in sorted(places))


def _with_a_letter_less(form: _Form) -> set[str]:
    folded = _folded(form.written)
    return {folded, *(folded[:at] + folded[at + 1 :] for at in range(len(folded)))}


def _may_be_misspelt(form: _Form, vocabulary: _Vocabulary) -> bool:
    plain = form.written.isalpha() and not form.written.isupper()
    return (
        plain
        and _SHORTEST_MISSPELT <= len(form.written) <= _LONGEST
        and form.written.casefold() not in vocabulary.common
    )


def _one_edit(first: str, second: str) -> bool:
    """One letter put in, left out, replaced or swapped with the next, but not an ending, nor the first letter."""
    if len(first) > len(second):
        first, second = second, first
    if first == second or len(second) - len(first) > 1 or first[0] != second[0]:
        return False
    at = next((index for index in range(len(first)) if first[index] != second[index]), len(first))
    if len(first) != len(second):
        ending = at == len(first) and second[-1] in _ENDINGS
        return not ending and first[at:] == second[at + 1 :]
    if first[at + 1 :] == second[at + 1 :]:
        return len(first) > _SHORTEST_MISSPELT and at < len(first) - 1
    swapped = first[at : at + 2] == second[at : at + 2][::-1]
    return swapped and first[at + 2 :] == second[at + 2 :]


@lru_cache(maxsize=4096)
def _folded(written: str) -> str:
    bare = unicodedata.normalize("NFKD", written).casefold()
    return "".join(letter for letter in bare if letter.isalnum())
