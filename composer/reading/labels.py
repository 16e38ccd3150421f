"""Labels that count, in a form no list knows: “1/5”, “{1}”, “№ 1”, “II –”, “b)”, “Story Two:”, “🚆 2.”, or a bare number.

A label counts when whatever stands around it is the same each time and what it names goes up by one from the first of its kind.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from composer.reading.numbers import PICTURES, Candidate, value_of

#: Kinds of labels besides digits, in their order.
_SEQUENCES: tuple[tuple[str, ...], ...] = (
    *map(
        tuple,
        (
            "abcdefghijklmnopqrstuvwxyz",
            "αβγδεζηθικλμνξοπρστυφχψω",
            "абвгдежзиклмнопрстуфхцчшщэюя",
            "가나다라마바사아자차카타파하",
            "甲乙丙丁戊己庚辛壬癸",
        ),
    ),
    *(
        tuple(words.split())
        for words in (
            "i ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx",
            "one two three four five six seven eight nine ten eleven twelve",
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth",
            "1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th 11th 12th",
            "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
            "erstens zweitens drittens viertens fünftens sechstens siebtens achtens neuntens zehntens",
            "un deux trois quatre cinq six sept huit neuf dix onze douze",
            "uno dos tres cuatro cinco seis siete ocho nueve diez once doce",
            "uno due tre quattro cinque sei sette otto nove dieci undici dodici",
            "um dois três quatro cinco seis sete oito nove dez onze doze",
        )
    ),
)
_VALUES: dict[str, list[tuple[int, int]]] = {}
for _kind, _sequence in enumerate(_SEQUENCES):
    for _value, _label in enumerate(_sequence, start=1):
        _VALUES.setdefault(_label, []).append((_kind, _value))

_DIGITS = -1
_LABELLED = re.compile(
    r"(?P<before>(?:[^\w\s]{1,4}\s?){0,2}(?:[^\W\d_]{2,14}\s)?)"
    r"(?P<label>[⒈-⒛]|\d{1,3}(?:st|nd|rd|th)?|[^\W\d_]{1,10})"
    r"(?P<after>(?:\s?(?:/|of|von|de|di)\s?\d{1,3})?\s?[^\w\s]{0,4}_?(?:\s+|(?<=[^\w\s])))"
    r"(?P<headline>\S.*)",
    re.IGNORECASE,
)
#: What a story, or the part that it is, is called in front of its number. Any other word is the headline's own: “Day 1: …”.
_NAMES = set(
    re.findall(
        r"\w+",
        "story item news number no nr chapter part topic point issue thema meldung nachricht kapitel teil punkt noticia capítulo tema punto "
        "parte sujet chapitre article actualité partie notizia capitolo notícia verhaal bericht deel новость глава тема часть wiadomość temat "
        "rozdział część खबर समाचार خبر الخبر قصة ידיעה כתבה סיפור 뉴스",
    )
)
_LONGEST = 300


@dataclass(frozen=True)
class Labelled:
    """A text that may begin with a label: how it is written, with “1” for the label, and what it would count."""

    kind: int
    form: str
    value: int
    headline: str
    #: Whether its digits begin with a zero.
    is_padded: bool = False

    @property
    def is_bare(self) -> bool:
        """Whether it is digits and nothing else, which may count what the headline speaks of; “01” hardly does."""
        return self.kind == _DIGITS and self.form == "1" and not self.is_padded

    @property
    def is_sure(self) -> bool:
        """Whether it is a number with a sign beside it, which few texts begin with by chance."""
        return self.kind == _DIGITS and self.form.strip() != "1"


def _readings(text: str) -> Iterator[Labelled]:
    match = _LABELLED.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return
    label, after, headline = match["label"], match["after"], match["headline"]
    name = "".join(sign for sign in match["before"].casefold() if sign.isalnum())
    if name and name not in _NAMES:
        if not after.strip():
            return
        headline = text
    form = _without_pictures(match["before"]) + "1" + after.rstrip()
    if "⒈" <= label <= "⒛":
        yield Labelled(_DIGITS, f"{form}.", int(unicodedata.numeric(label)), headline)
    elif label.isdecimal():
        yield Labelled(_DIGITS, form, value_of(label), headline, is_padded=label[0] == "0")
    elif after.strip():
        case = label == label.upper()
        for kind, value in _VALUES.get(label.lower(), ()):
            yield Labelled(kind, f"{form}{'↑' if case else ''}", value, headline)


def _without_pictures(before: str) -> str:
    """Each story may have an emoji of its own."""
    return "".join(sign for sign in before if sign == "№" or unicodedata.category(sign) not in PICTURES)


def labelled(texts: Sequence[str]) -> list[tuple[int, Labelled]]:
    """The texts, by index, whose labels are written alike and count furthest from one; empty where none reach two.

    Those of the same form that do not count on are among them.
    """
    groups: dict[tuple[int, str], list[tuple[int, Labelled]]] = {}
    for index, text in enumerate(texts):
        for reading in _readings(text):
            groups.setdefault((reading.kind, reading.form), []).append((index, reading))
    best = max(groups.values(), key=reach, default=[])
    return best if reach(best) > 1 else []


def reach(group: Sequence[tuple[int, Labelled]]) -> int:
    """How far the labels count from one."""
    reached = 0
    for _, reading in group:
        reached += reading.value == reached + 1
    return reached


def without_labels(texts: Sequence[str]) -> list[str] | None:
    """The texts without their labels, if these count them all; else None."""
    group = labelled(texts)
    if reach(group) != len(texts) or len(group) != len(texts):
        return None
    if any(reading.is_bare and reading.headline[0].islower() for _, reading in group):
        # “2 towns vote” counts towns.
        return None
    return [reading.headline for _, reading in group]


def candidates_of(group: Sequence[tuple[int, Labelled]]) -> list[Candidate]:
    return [
        Candidate(index=index, form=reading.form.removesuffix("↑"), number=reading.value, headline=reading.headline)
        for index, reading in group
    ]
