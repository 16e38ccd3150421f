"""Filling lines to a number of terminal columns: wide for Chinese, none for accents, and never a broken URL or tag."""

import re
from collections.abc import Iterator

from wcwidth import wcswidth, wcwidth

COLUMNS = 72

#: Broken only between words; a URL or a merge tag (which grows) stays in one piece however long it is.
_UNBREAKABLE = re.compile(r"\w://|mailto:|-nd[A-Z]|\{\{")
#: Counted as long as a short name, since its own length says nothing.
_TAG = re.compile(r"-nd[A-Z]\w*-")
_SPACES = re.compile(r"[ \t\n]+")
#: What must not begin a line of Chinese or Japanese.
_NEVER_FIRST = frozenset("、。，．：；！？）」』】〉》〕］｝’”…ー・々ぁぃぅぇぉっゃゅょァィゥェォッャュョ")
_NEVER_LAST = frozenset("（「『【〈《〔［｛‘“")


def width(text: str) -> int:
    """Columns the text takes on a terminal."""
    if text.isascii():
        return len(text)
    columns: int = wcswidth(text)
    return columns if columns >= 0 else len(text)


def fill(text: str, *, first: str = "", rest: str = "", columns: int = COLUMNS) -> str:
    """The text in lines of at most `columns`, the first behind `first`, the others behind `rest`.

    Only a URL or merge tag may make a line longer.
    """
    lines: list[str] = []
    line, used, empty = first, width(first), True
    for glue, piece in _pieces(text, columns - max(width(first), width(rest))):
        size = width(_TAG.sub("Josephine", piece)) if "-nd" in piece else width(piece)
        gap = "" if empty else glue
        if not empty and used + len(gap) + size > columns:
            lines.append(line)
            line, used, gap = rest, width(rest), ""
        line, used, empty = f"{line}{gap}{piece}", used + len(gap) + size, False
    return "\n".join(part.rstrip() for part in (*lines, line))


def _pieces(text: str, room: int) -> Iterator[tuple[str, str]]:
    """What may stand at the start of a line, each with what separates it from the piece before."""
    for word in _SPACES.split(text.strip()):
        if _UNBREAKABLE.search(word) or (word.isascii() and len(word) <= room):
            yield " ", word
        else:
            glue = " "
            for part in _broken(word, room):
                yield glue, part
                glue = ""


def _broken(word: str, room: int) -> Iterator[str]:
    """A word cut where it may be: between wide characters, and, when it is longer than a line, anywhere."""
    piece, used = "", 0
    for sign in word:
        size = max(0, wcwidth(sign))
        between = size == 2 and sign not in _NEVER_FIRST and piece[-1:] not in _NEVER_LAST and piece[-1:] != "\u200d"
        if piece and ((between and wcwidth(piece[-1]) == 2) or (size and used + size > room)):
            yield piece
            piece, used = "", 0
        piece, used = piece + sign, used + size
    if piece:
        yield piece
