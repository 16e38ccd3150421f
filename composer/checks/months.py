"""A month in the frame of the edition that is not this month's: the sentence was carried over from an earlier edition.

Only subject, title, introduction, closing and call to action are read: stories, and the preheader that is often made of
their headlines, speak of any month they like.
"""

import re
from collections.abc import Iterator
from functools import cache

from babel import Locale, UnknownLocaleError

from composer.checks.context import CheckContext, Problem, Text, texts
from composer.content import EditionContent

_FRAME = {"subject", "title", "introduction", "closing", "call to action"}
_BEFORE = r"(?:in|of|by|until|since|for|this|last|our|the|early|late|mid|\d{1,2}(?:st|nd|rd|th)?)"
#: Words of other meanings too: months only where a month is meant.
_AMBIGUOUS = {
    "May": rf"\b{_BEFORE}\s+May\b|\bMay\s+\d",
    "March": rf"\b{_BEFORE}\s+March\b(?!\s+(?:on|for)\b)|\bMarch\s+\d",
}


def check(context: CheckContext) -> Iterator[Problem]:
    today = context.content.date or context.facts.today
    months = _names(context.content.publication.language)
    if today is None or not months:
        return
    stale = _named_before(context, months) if _month_turned(context) else set()
    usual = {(today.month + offset) % 12 for offset in (-1, 0, 1)} - {number % 12 for number in stale}
    for text in context.texts:
        if text.where not in _FRAME:
            continue
        for number in _months(text, months):
            if number % 12 not in usual and number != today.month:
                month, this = months[number - 1], months[today.month - 1]
                again = ", as the edition before did" if number in stale else ""
                message = f"names {month}{again}; this is {this}: is it from an earlier edition?"
                yield Problem(level="warning", code="month.stale", message=message, where=text.where)


@cache
def _names(language: str) -> tuple[str, ...]:
    """The twelve months as they are written inside a sentence (Unicode CLDR).

    None where they are not words of letters alone: Japanese writes numbers, and Thai no spaces between words.
    Babel's forms that stand alone are not asked for: once Hebrew's were read, Babel 2.18 gives them to other languages.
    """
    try:
        months = Locale.parse(language.replace("_", "-"), sep="-").months["format"]["wide"]
    except (ValueError, UnknownLocaleError):
        return ()
    names = tuple(months[number] for number in range(1, 13))
    return names if all(name.isalpha() for name in names) else ()


def _month_turned(context: CheckContext) -> bool:
    last, today = context.facts.history.last, context.content.date or context.facts.today
    return bool(last and last.date and today and (last.date.year, last.date.month) != (today.year, today.month))


def _named_before(context: CheckContext, months: tuple[str, ...]) -> set[int]:
    last: EditionContent | None = context.facts.history.last
    frame = [text for text in texts(last) if text.where in _FRAME] if last else []
    return {number for text in frame for number in _months(text, months)}


def _months(text: Text, months: tuple[str, ...]) -> Iterator[int]:
    if text.kind not in {"text", "html"}:
        return
    for number, name in enumerate(months, start=1):
        pattern = _AMBIGUOUS.get(name, rf"(?<!\w){re.escape(name)}(?!\w)")
        if re.search(pattern, text.text):
            yield number
