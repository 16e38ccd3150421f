"""Lines to paragraphs: page furniture dropped, wrapped lines joined, every paragraph with the line it began on."""

import re
from dataclasses import dataclass
from itertools import pairwise

#: Longer lines than these are whole paragraphs, not wrapped ones.
_WRAPPED_AT_MOST = 120
_FURNITURE = re.compile(r"top of page|bottom of page|comments", re.IGNORECASE)
_PICTURE = re.compile(r"writer[’'‘`´]?s picture", re.IGNORECASE)
_BULLET = re.compile(r"^[\s•·●▪◦*\-–—\u200b]+")
_LINE_BREAKS = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_BLANKS = re.compile(r"[ \t]+")
_SENTENCE_END = re.compile(r"[.!?…:;]['\"’”»)\]]*$")
NUMBERED = re.compile(r"(?P<number>[0-9]{1,2})\s*\.(?:\s+|(?=[^\W\d_]|[“‘\"'(]))(?P<headline>\S.*)")
BARE_NUMBER = re.compile(r"(?P<number>[0-9]{1,2})\s*\.")


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    line: int
    text: str


def paragraphs(text: str) -> list[Paragraph]:
    lines = _lines(text)
    width = _wrapped_at(lines)
    joined: list[Paragraph] = []
    previous: Paragraph | None = None
    for line in lines:
        if previous and line.text and joined and len(joined) > 1 and _continues(previous.text, line.text, width):
            joined[-1] = Paragraph(line=joined[-1].line, text=f"{joined[-1].text} {line.text}")
        elif line.text:
            joined.append(line)
        previous = line if line.text else None
    return joined


def ends_a_sentence(text: str) -> bool:
    return bool(_SENTENCE_END.search(text))


def is_furniture(line: str) -> bool:
    """Whether the line is what a page puts round an article, with or without a bullet."""
    bare = _BULLET.sub("", line).strip()
    if _FURNITURE.fullmatch(bare):
        return True
    return bool(_PICTURE.match(bare)) and len(bare) <= 80 and not ends_a_sentence(bare)


def _lines(text: str) -> list[Paragraph]:
    found: list[Paragraph] = []
    for number, whole in enumerate(text.split("\n"), start=1):
        for part in _LINE_BREAKS.split(whole):
            line = _BLANKS.sub(" ", part).strip().strip("\u200b").strip()
            found.append(Paragraph(line=number, text="" if is_furniture(line) else line))
    return found


def _wrapped_at(lines: list[Paragraph]) -> int:
    """The columns at which the text was wrapped; 0 when every line is a paragraph."""
    width = max(len(line.text) for line in lines)
    broken_sentence = any(
        above.text and line.text[:1].islower() and not ends_a_sentence(above.text) and not NUMBERED.match(above.text)
        for above, line in pairwise(lines)
    )
    return width if broken_sentence and width <= _WRAPPED_AT_MOST else 0


def _continues(previous: str, line: str, width: int) -> bool:
    """Whether the line goes on with the sentence or paragraph of the line right above it."""
    if NUMBERED.match(line) and (ends_a_sentence(previous) or NUMBERED.match(previous)):
        return False
    if not width:
        return line[0].islower() and previous[-1].islower() and not NUMBERED.match(previous)
    with_next_word = len(previous) + 1 + len(line.split(" ", 1)[0])
    # Of a headline it must be certain that it was wrapped, or the lede below it would be lost in it.
    return with_next_word > width if NUMBERED.match(previous) else with_next_word >= 0.75 * width
