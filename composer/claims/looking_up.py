"""What a story says and its source does not, with the nearest that the source does say."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, islice
from typing import Literal

from rapidfuzz import fuzz, process

from composer.claims import names, quotations
from composer.claims.dates import Date, Known, dates
from composer.figures import Figure, figures

#: Characters of a source that are read; a longer one is a book.
MOST_OF_SOURCE = 200_000
MOST_OF_STORY = 50_000
#: What one story's check says at most.
MOST_CLAIMS = 12
#: Of a text, that are read and looked up.
MOST_FIGURES = 5_000
MOST_QUOTATIONS = 200
#: How much alike (rapidfuzz, 0 to 100) a name of the source must be to be named as the nearest, and to be a slip.
_NEAR, _SLIP = 55.0, 80.0
#: Shorter words are like too many others.
_SHORTEST_SLIP = 5
#: Words of a story that are compared with every name of the source.
MOST_SLIPS = 300
#: “About 200” may be so much more or less, but not more than the worth of its last digit that is not 0.
_ROUGHLY = Decimal("0.1")


@dataclass(frozen=True)
class Unsupported:
    kind: Literal["figure", "date", "name", "quotation"]
    written: str
    #: As the source has it; "" where nothing is near.
    nearest: str = ""


@dataclass(frozen=True)
class Claim:
    """A text of a story."""

    text: str
    is_headline: bool = False


def unsupported(claims: Sequence[Claim], source: str, language: str = "en") -> list[Unsupported]:
    """What does not stand in the source, each once, in the story's order; at most MOST_CLAIMS."""
    given = _Source(source[:MOST_OF_SOURCE], language)
    found: dict[Unsupported, None] = {}
    for claim in claims:
        text = claim.text[:MOST_OF_STORY]
        read = chain(
            given.dates_and_figures(text), given.names(text, is_headline=claim.is_headline), given.quotations(text)
        )
        # One after another: what is beyond the last that is said need not be looked for.
        for one in read:
            found.setdefault(one)
            if len(found) >= MOST_CLAIMS:
                return list(found)
    return list(found)


def no_longer_supported(claims: Sequence[Claim], before: str, now: str, language: str = "en") -> list[Unsupported]:
    """Figures and dates that a source had and has no more, with the nearest that it has now; each once, in order."""
    earlier, later = _Source(before[:MOST_OF_SOURCE], language), _Source(now[:MOST_OF_SOURCE], language)
    found: dict[str, Unsupported] = {}
    for claim in claims:
        text = claim.text[:MOST_OF_STORY]
        never = {one.written for one in earlier.dates_and_figures(text)}
        for one in later.dates_and_figures(text):
            if one.written not in never:
                found.setdefault(one.written, one)
            if len(found) >= MOST_CLAIMS:
                return list(found.values())
    return list(found.values())


class _Source:
    def __init__(self, text: str, language: str) -> None:
        self._language = language
        self._dates = list(dates(text, language))
        self._known_dates = Known(self._dates)
        self._figures = [one for one in islice(figures(_without(text, self._dates)), MOST_FIGURES) if one.values]
        #: A year of a date is a figure too.
        self._years = {Decimal(date.year) for date in self._dates if date.year}
        self._values = {value for one in self._figures if not one.is_percent for value in one.values} | self._years
        self._percents = {value for one in self._figures if one.is_percent for value in one.values}
        self._in_order = {True: sorted(self._percents), False: sorted(self._values)}
        self._slips_left = MOST_SLIPS
        self._words = names.Source.of(text)
        self._passage = quotations.Passage(text)

    def dates_and_figures(self, text: str) -> Iterator[Unsupported]:
        said = list(dates(text, self._language))
        for date in said:
            if not self._known_dates.has(date):
                yield Unsupported("date", date.written, self._nearest_date(date))
        for figure in islice(figures(_without(text, said)), MOST_FIGURES):
            if figure.values and not self._has_figure(figure):
                yield Unsupported("figure", figure.written, self._nearest_figure(figure))

    def names(self, text: str, *, is_headline: bool) -> Iterator[Unsupported]:
        for name in names.names(text, language=self._language, is_headline=is_headline):
            lacking = [word for word in name.words if not self._has_word(word)]
            if not lacking:
                continue
            if name.is_unsure and not (name.before and self._words.is_otherwise_called(lacking[0], name.before)):
                meant = self._slip_of(lacking[0])
                if meant:
                    yield Unsupported("name", name.written, meant)
            else:
                near = process.extractOne(name.written, self._words.names.keys(), scorer=fuzz.ratio, score_cutoff=_NEAR)
                yield Unsupported("name", name.written, near[0] if near else "")

    def _slip_of(self, word: str) -> str:
        """The name of the source that a word may be misspelt from; "" for none."""
        if len(word) < _SHORTEST_SLIP or not self._slips_left:
            return ""
        self._slips_left -= 1
        found = process.extractOne(word, self._words.capitals.keys(), scorer=fuzz.ratio, score_cutoff=_SLIP)
        return self._words.capitals[found[0]] if found else ""

    def quotations(self, text: str) -> Iterator[Unsupported]:
        for passage in islice(quotations.quotations(text), MOST_QUOTATIONS):
            for piece, words in quotations.pieces(passage):
                if not self._passage.has(words):
                    yield Unsupported("quotation", piece, self._passage.nearest(words))
                    break

    def _has_word(self, word: str) -> bool:
        # A month is a date, a number in words a figure: neither is a name.
        return self._words.has(word) or any(True for _ in dates(word.capitalize(), self._language)) or _is_number(word)

    def _has_figure(self, figure: Figure) -> bool:
        known = self._percents if figure.is_percent else self._values
        if figure.values & known or (not figure.is_percent and not figure.is_money and figure.values & self._percents):
            return True
        in_order = self._in_order[figure.is_percent]
        if figure.is_approximate:
            return any(
                _between(in_order, value - room, value + room)
                for value in figure.values
                for room in [min(_unit(value), value * _ROUGHLY)]
            )
        return any(
            _rounds_to(other, value)
            for value in figure.values
            if value >= 1000
            for other in _between(in_order, value - _unit(value) / 2, value + _unit(value) / 2)
        )

    def _nearest_figure(self, figure: Figure) -> str:
        alike = [
            one for one in self._figures if one.is_percent == figure.is_percent and one.is_money == figure.is_money
        ]
        others = alike or [one for one in self._figures if one.is_percent == figure.is_percent]
        return min(others, key=lambda one: _distance(figure, one)).written if others else ""

    def _nearest_date(self, date: Date) -> str:
        if not self._dates:
            return ""
        return min(
            self._dates, key=lambda other: (other.month != date.month, abs((other.day or 0) - (date.day or 0)))
        ).written


def _without(text: str, said: Sequence[Date]) -> str:
    """The text with blanks for its dates, as long as before."""
    kept, at = [], 0
    for date in said:
        if date.start >= at:
            kept += [text[at : date.start], " " * (date.end - date.start)]
            at = date.end
    return "".join([*kept, text[at:]])


def _rounds_to(exact: Decimal, rounded: Decimal) -> bool:
    """Whether a figure is another one with fewer digits: 1.8 billion, 1,798 million."""
    written, given = len(rounded.normalize().as_tuple().digits), len(exact.normalize().as_tuple().digits)
    return given > written > 1 and abs(exact - rounded) <= _unit(rounded) / 2


def _unit(value: Decimal) -> Decimal:
    """The worth of the last digit that is not 0."""
    return Decimal(1).scaleb(int(value.normalize().as_tuple().exponent))


def _between(in_order: Sequence[Decimal], least: Decimal, most: Decimal) -> Sequence[Decimal]:
    """The first of the values from `least` to `most`."""
    return in_order[bisect_left(in_order, least) : bisect_right(in_order, most)][:50]


def _distance(figure: Figure, other: Figure) -> tuple[bool, Decimal]:
    """The same digits in another order or scale are nearest, then by how many times one is the other."""
    digits = sorted(letter for letter in figure.written if letter.isdigit())
    same_digits = bool(digits) and digits == sorted(letter for letter in other.written if letter.isdigit())
    one, two = max(figure.values), max(other.values)
    larger, smaller = max(one, two), min(one, two)
    return not same_digits, larger / smaller if smaller else larger + 1


def _is_number(word: str) -> bool:
    return any(True for _ in figures(word))
