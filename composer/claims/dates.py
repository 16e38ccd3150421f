"""Dates in words and in figures: 17 November, Nov. 17, 2026, 17.11.2026, 2026-11-17, in November."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from babel import Locale, UnknownLocaleError

#: Months that are other words too: alone they are read only where a month is meant.
_AMBIGUOUS = {"may", "march", "mar", "dec", "jan", "mars", "mai", "set", "ago", "out"}
_MONTH_MEANT = re.compile(
    r"(?:\b(?:in|of|by|until|since|from|last|this|early|late|mid|im|en|em|a)\s|-)\Z", re.IGNORECASE
)
_NUMERIC = re.compile(
    r"\b(?:(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)|(?P<day2>\d{1,2})\.(?P<month2>\d{1,2})\.(?P<year2>\d{4})?)"
)


@dataclass(frozen=True, kw_only=True)
class Date:
    written: str
    start: int
    end: int
    month: int
    day: int | None = None
    year: int | None = None


class Known:
    """The dates of a text, and whether one of them says what another date says."""

    def __init__(self, said: Sequence[Date]) -> None:
        #: With everything that may be left out left out too.
        self._whole = {(one.month, day, year) for one in said for day in (one.day, None) for year in (one.year, None)}
        self._without_year = {(one.month, day) for one in said if one.year is None for day in (one.day, None)}

    def has(self, date: Date) -> bool:
        return (date.month, date.day, date.year) in self._whole or (date.month, date.day) in self._without_year


def dates(text: str, language: str) -> Iterator[Date]:
    """The text's dates in reading order; months are read in the language and in English."""
    yield from sorted((*_in_figures(text), *_in_words(text, language)), key=lambda date: date.start)


def _in_figures(text: str) -> Iterator[Date]:
    for found in _NUMERIC.finditer(text):
        year, month, day = (found[name] or found[f"{name}2"] for name in ("year", "month", "day"))
        if 1 <= int(month) <= 12 and 1 <= int(day) <= 31:
            yield Date(
                written=found[0], start=found.start(), end=found.end(), month=int(month), day=int(day),
                year=int(year) if year else None,
            )  # fmt: skip


def _in_words(text: str, language: str) -> Iterator[Date]:
    pattern, numbers = _months(language)
    for found in pattern.finditer(text):
        name = found["name"]
        day = found["before"] or found["after"]
        month = numbers[name.casefold().rstrip(".")]
        alone = not day and not found["year"]
        unsure = name.casefold().rstrip(".") in _AMBIGUOUS or name[0].islower() != _is_lower(language)
        if alone and unsure and not _MONTH_MEANT.search(text[max(0, found.start() - 12) : found.start()]):
            continue
        if day and not 1 <= int(day) <= 31:
            continue
        yield Date(
            written=found[0].strip(" ,."), start=found.start(), end=found.end(), month=month,
            day=int(day) if day else None, year=int(found["year"]) if found["year"] else None,
        )  # fmt: skip


def _is_lower(language: str) -> bool:
    """Whether months are written without a capital."""
    return language[:2] not in {"en", "de", "lb"}


@cache
def _months(language: str) -> tuple[re.Pattern[str], dict[str, int]]:
    numbers: dict[str, int] = {}
    for tag in ("en", language):
        try:
            forms = Locale.parse(tag.replace("_", "-"), sep="-").months["format"]
        except (ValueError, UnknownLocaleError):
            continue
        for width in ("wide", "abbreviated"):
            for number, name in forms[width].items():
                if re.search(r"[^\W\d_]{3}", name):
                    numbers[name.casefold().rstrip(".")] = number
    names = "|".join(re.escape(name) for name in sorted(numbers, key=len, reverse=True))
    return (
        re.compile(
            r"(?:\b(?P<before>\d{1,2})(?:st|nd|rd|th|er|º|\.)?\s+(?:of\s+|de\s+)?)?"
            rf"\b(?P<name>(?:{names})\b\.?)"
            r"(?:\s+(?P<after>\d{1,2})(?!\d|[.,]\d)(?:st|nd|rd|th)?\b)?"
            r"(?:,?\s+(?:de\s+)?(?P<year>(?:19|20)\d\d)\b)?",
            re.IGNORECASE,
        ),
        numbers,
    )
