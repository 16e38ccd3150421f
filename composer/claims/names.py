"""Names: words with a capital where no sentence begins, and what stands beside them with a capital too."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:[-’'.&][^\W_]+)*")
#: A small word between two names, or within one.
_LOWER = re.compile(r"\s[^\W\d_A-Z]\S*\s|\s&\s")
_BEGINS = re.compile(r"(?:^|[.!?:…•·]|[\n“”\"‘(\[–—])[\s“\"‘(\[]*\Z")
_POSSESSIVE = re.compile(r"(?:[’']s|s[’']|[’'])\Z")
#: Of a source, to be compared with.
_MOST_NAMES = 3000
#: Between the words of one name.
_LINKS = {"of", "and", "de", "da", "del", "der", "di", "do", "du", "la", "le", "van", "von", "the", "bin", "al", "&"}
#: Have a capital and name nobody: days, forms of address, the first person.
_NO_NAMES = frozenset(
    re.findall(
        r"\S+",
        "i monday tuesday wednesday thursday friday saturday sunday mr mrs ms dr sir dame lord lady president prime minister "
        "chancellor judge professor senator king queen internet web christmas easter montag dienstag mittwoch donnerstag "
        "freitag samstag sonntag lundi mardi mercredi jeudi vendredi samedi dimanche",
    )
)
#: Every noun of these languages has a capital: only what is no noun by its company is taken for a name.
_CAPITALS_FOR_NOUNS = {"de", "lb"}
#: One place in its forms; the first letters of the others tell their own: German, Germany.
_SAME = [
    {"us", "usa", "america", "american", "americans", "states"},
    {"uk", "britain", "british", "briton", "britons", "england", "kingdom"},
    {"france", "french"},
    {"netherlands", "dutch", "holland"},
    {"china", "chinese"},
    {"spain", "spanish"},
    {"denmark", "danish"},
    {"switzerland", "swiss"},
    {"wales", "welsh"},
    {"poland", "polish", "pole"},
    {"europe", "european", "eu"},
    {"greece", "greek"},
    {"ireland", "irish"},
    {"turkey", "turkish", "türkiye"},
    {"ukraine", "ukrainian"},
    {"portugal", "portuguese"},
    {"sweden", "swedish", "swede"},
    {"norway", "norwegian"},
]
_FORMS = {word: group for group in _SAME for word in group}
_OF_PLACES = re.compile(r"(?:ans?|ish|ese|ians?|eans?|i)\Z")
#: What a name has at its end in another form, in the source or in the story: Leipzig, Leipziger.
_ENDINGS = ("s", "n", "es", "er", "ers")
#: Words that begin a sentence before a name and are none.
_OPENERS = frozenset(
    re.findall(
        r"\S+",
        "after against all although and as at because before behind both but by chair chairman chairwoman chief coach captain "
        "councillor despite director during earlier even for former founder from governor however if in inspector instead "
        "its last later like many mayor meanwhile minister more most neither next no now of on once only other our over "
        "rival secretary since so still than that the then there these they this those though through to today together "
        "tomorrow under unlike until we what when where whether which while who with without yesterday yet "
        "an auf aus bei beim da damit das dem den der die doch durch ein eine für gegen im in ihr mit nach seit sein so "
        "und unter vom von vor während wenn wie zu zum zur à au aux avec ce cette dans de depuis des du en et il la le "
        "les mais par pour selon si son sur un une con como de del desde el en la las los para pero por según sin un una",
    )
)


@dataclass(frozen=True)
class Name:
    written: str
    start: int
    #: Its words that have a capital, folded; the first of a sentence is left out when it may be any word.
    words: tuple[str, ...]
    #: The first word of a sentence, by itself: only a slip in a name of the source tells that it is one.
    is_unsure: bool = False
    #: The name that follows it, folded: a first name that begins a sentence.
    before: str = ""


@dataclass
class Source:
    """What a source names."""

    words: set[str] = field(default_factory=set)
    #: With a capital, folded → as written.
    capitals: dict[str, str] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)
    #: Of names of several words: EU.
    #: A name → the words with a capital that stand before it.
    firsts: dict[str, set[str]] = field(default_factory=dict)
    initials: set[str] = field(default_factory=set)
    #: What words with a capital begin with: German, Germany.
    beginnings: set[str] = field(default_factory=set)

    #: Of words for people and things of a place: Germ of German.
    stems: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, text: str) -> "Source":
        found = cls()
        for word in _WORD.finditer(text):
            for part in (word[0], *re.split(r"[-’'.&]", word[0])):
                if part:
                    found.words.add(folded(part))
                    if part[0].isupper():
                        found.capitals.setdefault(folded(part), _POSSESSIVE.sub("", part))
        for pair in re.finditer(r"([^\W_]+(?:[’'-][^\W_]+)*) (?=([^\W_]+(?:[’'-][^\W_]+)*))", text):
            if pair[1][0].isupper() and pair[2][0].isupper():
                found.firsts.setdefault(folded(pair[2]), set()).add(folded(pair[1]))
        found.stems = {stem for word in found.capitals if len(stem := _OF_PLACES.sub("", word)) >= 4 and stem != word}
        found.beginnings = {word[:length] for word in found.capitals for length in range(4, min(len(word), 14) + 1)}
        for name in names(text, language="en", is_headline=False):
            if len(found.names) >= _MOST_NAMES:
                break
            for part in (name.written, *_LOWER.split(name.written)):
                found.names.setdefault(_POSSESSIVE.sub("", part))
            found.initials.add(
                "".join(part[0] for part in re.findall(r"[^\W_]+", name.written) if part[0].isupper()).casefold()
            )
        return found

    def is_otherwise_called(self, word: str, name: str) -> bool:
        """Whether a name always has another word with a capital before it: Ortega is Marta Ortega, and not Grace."""
        return word not in _OPENERS and bool(self.firsts.get(name))

    def has(self, word: str) -> bool:
        """Whether the source has a word, perhaps in another form."""
        if word in self.words or word in self.initials:
            return True
        if any(other in self.words for other in _FORMS.get(word, ())):
            return True
        stem = _OF_PLACES.sub("", word)
        if stem != word and len(stem) >= 4:
            return stem in self.beginnings
        if any(word[:length] in self.stems for length in range(4, min(len(word), 14) + 1)):
            return True
        if any(word + ending in self.words for ending in _ENDINGS):
            return True
        singular = word.removesuffix("s")
        return singular in self.words


def names(text: str, *, language: str, is_headline: bool) -> Iterator[Name]:
    """The names of a text, in reading order; of a headline whose every word has a capital only words, each unsure."""
    words = list(_WORD.finditer(text))
    long = [word[0] for word in words if len(word[0]) > 3]
    titled = is_headline and len(long) > 1 and sum(word[0].isupper() for word in long) > len(long) * 0.8
    nouns = language[:2] in _CAPITALS_FOR_NOUNS
    run: list[re.Match[str]] = []
    for word in [*words, None]:
        joined = word is not None and run and _joins(text[run[-1].end() : word.start()])
        if run and not joined:
            yield from _of_run(text, run, unsure=titled, nouns=nouns)
            run = []
        if word is not None and any(letter.isupper() for letter in word[0]):
            run.append(word)


def _joins(between: str) -> bool:
    """Whether two words with capitals are of one name: with a space between, or a small word."""
    small = between.strip()
    return (not small and "\n" not in between and between != "") or small in _LINKS


def _of_run(text: str, run: list[re.Match[str]], *, unsure: bool, nouns: bool) -> Iterator[Name]:
    if unsure or nouns:
        for word in run:
            if nouns and not unsure and len(run) == 1 and not any(letter.isupper() for letter in word[0][1:]):
                yield Name(word[0], word.start(), (folded(word[0]),), is_unsure=True)
            else:
                yield from _single(word, unsure=unsure or (nouns and len(run) == 1))
        return
    begins = _BEGINS.search(
        text[max(0, run[0].start() - 8) : run[0].start()] if run[0].start() > 8 else text[: run[0].start()]
    )
    if begins:
        following = folded(run[1][0]) if len(run) > 1 else ""
        if folded(run[0][0]) not in _NO_NAMES:
            possessive = _POSSESSIVE.search(run[0][0]) is not None
            yield Name(run[0][0], run[0].start(), (folded(run[0][0]),), is_unsure=not possessive, before=following)
        run = run[1:]
    kept = tuple(word for word in (folded(one[0]) for one in run) if word not in _NO_NAMES)
    if kept:
        yield Name(text[run[0].start() : run[-1].end()], run[0].start(), kept)


def _single(word: re.Match[str], *, unsure: bool) -> Iterator[Name]:
    if folded(word[0]) not in _NO_NAMES:
        yield Name(word[0], word.start(), (folded(word[0]),), is_unsure=unsure)


@lru_cache(maxsize=8192)
def folded(word: str) -> str:
    """Without case, accents, possessive and marks."""
    bare = unicodedata.normalize("NFKD", _POSSESSIVE.sub("", word)).casefold()
    return "".join(letter for letter in bare if letter.isalnum())
