"""Lines that were wrapped at a number of columns, and lines that are paragraphs by themselves."""

import re
from collections.abc import Sequence
from itertools import pairwise

#: Longer lines than these are whole paragraphs, not wrapped ones.
WRAPPED_AT_MOST = 120
#: A shorter line was not broken because the page was full.
_WRAPPED_AT_LEAST = 25
_SENTENCE_END = re.compile(r"[.!?…:;。！？：；؟۔]['\"’”»」』)\]）]*$")
_BEGINS_AN_ITEM = re.compile(r"[(（#]?\d{1,3}\s*[.)）、:]|[•●◦▪·‣*–—-]\s|Story\s+\d", re.IGNORECASE)


def ends_a_sentence(text: str) -> bool:
    # Only the last few signs matter; the whole of a long line is not searched.
    return bool(_SENTENCE_END.search(text[-12:]))


def wrapped_at(lines: Sequence[str]) -> int:
    """The columns at which the text was wrapped; 0 when every line is a paragraph. Empty lines part paragraphs."""
    width = max(map(len, lines), default=0)
    if width > WRAPPED_AT_MOST:
        return 0
    broken = any(
        len(above) >= _WRAPPED_AT_LEAST
        and line[:1].islower()
        and not ends_a_sentence(above)
        and not _BEGINS_AN_ITEM.match(above)
        for above, line in pairwise(lines)
    )
    return width if broken else 0


def continues(previous: str, line: str, width: int) -> bool:
    """Whether the line goes on with the sentence or paragraph of the line right above it."""
    numbered = bool(_BEGINS_AN_ITEM.match(line))
    after_item = bool(_BEGINS_AN_ITEM.match(previous))
    if len(previous) < _WRAPPED_AT_LEAST or (numbered and (ends_a_sentence(previous) or after_item)):
        return False
    if not width:
        return line[:1].islower() and previous[-1].islower() and not after_item
    with_next_word = len(previous) + 1 + len(line.partition(" ")[0])
    # Of a headline it must be certain that it was wrapped, or the lede below it would be lost in it.
    return with_next_word > width if after_item else with_next_word >= 0.75 * width
