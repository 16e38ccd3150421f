"""Which paragraphs are the stories' headlines: those numbered 1, 2, 3 …; anything doubtful is refused by its line."""

import re
from dataclasses import dataclass, field

from composer.digests.errors import DigestError
from composer.digests.paragraphs import BARE_NUMBER, NUMBERED, Paragraph

MAX_HEADLINE = 300
_ESCAPED = re.compile(r"^([0-9]{1,2})\\\.")
_AS_TEXT = "if it is text, write its number with a backslash ({number}\\.)"


@dataclass
class Numbering:
    #: Indices of the headlines among the paragraphs, in order.
    headlines: list[int] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def find_headlines(paragraphs: list[Paragraph]) -> Numbering:
    found = Numbering()
    for index, paragraph in enumerate(paragraphs):
        bare = BARE_NUMBER.fullmatch(paragraph.text)
        if bare and int(bare["number"]) == len(found.headlines) + 1:
            raise DigestError(paragraph.line, f"number {bare['number']} has no headline; write it on the same line")
        match = NUMBERED.fullmatch(paragraph.text)
        if match is None:
            continue
        number, expected = int(match["number"]), len(found.headlines) + 1
        if _is_text(paragraphs, index, number, expected):
            found.warnings.append(
                f"line {paragraph.line}: begins with “{number}.” but was read as text, not as a headline"
            )
        elif number != expected:
            raise _out_of_order(paragraphs, index, number, found.headlines)
        else:
            _refuse_doubtful(paragraphs, index, found.headlines)
            found.headlines.append(index)
    return found


def unescaped(text: str) -> str:
    """The text without the backslash that keeps a number at its start from making it a headline."""
    return _ESCAPED.sub(r"\1.", text)


def headline_of(paragraph: Paragraph) -> str:
    match = NUMBERED.fullmatch(paragraph.text)
    return match["headline"] if match else paragraph.text


def looks_like_a_heading(text: str) -> bool:
    """Short, capitalised, without the punctuation that ends a sentence."""
    return len(text) <= 80 and len(text.split()) <= 12 and text[0].isupper() and text[-1].isalnum() and "//" not in text


def _is_sentence(text: str) -> bool:
    return text.endswith((".", ".”", '."')) and len(text.split()) >= 8


def _is_text(paragraphs: list[Paragraph], index: int, number: int, expected: int) -> bool:
    """Whether a numbered paragraph is plainly a sentence: it reads like one and the count goes on without it."""
    if not _is_sentence(paragraphs[index].text) or expected == 1:
        return False
    return number != expected or any(
        (match := NUMBERED.fullmatch(later.text)) and int(match["number"]) == number and not _is_sentence(later.text)
        for later in paragraphs[index + 1 :]
    )


def _refuse_doubtful(paragraphs: list[Paragraph], index: int, headlines: list[int]) -> None:
    paragraph = paragraphs[index]
    number = len(headlines) + 1
    if len(paragraph.text) > MAX_HEADLINE:
        raise DigestError(
            paragraph.line,
            f"the headline of story {number} has {len(paragraph.text)} characters; "
            f"put an empty line behind the headline, or {_AS_TEXT.format(number=number)}",
        )
    others_are_sentences = any(_is_sentence(paragraphs[other].text) for other in headlines)
    if headlines and _is_sentence(paragraph.text) and not others_are_sentences:
        raise DigestError(
            paragraph.line,
            f"“{_start(paragraph.text)}” may be a headline or a sentence: take the full stop away if it is story "
            f"{number}'s headline; {_AS_TEXT.format(number=number)}",
        )


def _out_of_order(paragraphs: list[Paragraph], index: int, number: int, headlines: list[int]) -> DigestError:
    paragraph, expected = paragraphs[index], len(headlines) + 1
    as_text = _AS_TEXT.format(number=number)
    if number < expected:
        first = paragraphs[headlines[number - 1]].line if number else None
        again = f"number {number} again (first on line {first})" if first else "there is no story number 0"
        return DigestError(paragraph.line, f"{again}: number this headline {expected}, or {as_text}")
    start = headlines[-1] + 2 if headlines else 1
    nameless = [other for other in paragraphs[start:index] if looks_like_a_heading(other.text)]
    hint = f"; line {nameless[-1].line} “{_start(nameless[-1].text)}” may be its headline" if nameless else ""
    after = f"after {expected - 1} comes {number}" if headlines else f"the first story is numbered {number}"
    missing = f"story {expected} is missing: {after}{hint}; number the headlines without gaps"
    return DigestError(paragraph.line, f"{missing}, or {as_text}")


def _start(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:38].rstrip()}…"
