"""Characters that nobody sees never change what a line means."""

import re

#: Zero-width space, word joiner, byte order mark, soft hyphen, and the marks and embeddings of direction. The joiners
#: U+200C and U+200D stay: Persian, Indic scripts and emoji are spelled with them.
_INVISIBLE = dict.fromkeys(
    [0xAD, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF, 0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)
_NO_BREAK = "\xa0\u202f\u2007"
_BLANKS = re.compile(f"[ \t{_NO_BREAK}\u2000-\u200a\u3000]+")
#: French sets no-break spaces before high punctuation and inside guillemets, numbers have them between digits.
_KEPT_BEFORE, _KEPT_AFTER = set(":;!?»%€"), "«"
LINE_BREAKS = re.compile("\r\n|[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")


def visible(text: str) -> str:
    """The text without invisible characters."""
    return text if text.isascii() else text.translate(_INVISIBLE)


def clean(text: str) -> str:
    """One line: invisible characters gone, blanks single, no blanks at its ends."""
    return _BLANKS.sub(_blank, visible(text)).strip()


def cut(text: str, length: int = 200) -> str:
    """The beginning of a text, for a message."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def start(text: str) -> str:
    """The first words of a line, to recognise it by."""
    return cut(text, 40)


def _blank(match: re.Match[str]) -> str:
    found, text = match[0], match.string
    if len(found) == 1 and found in _NO_BREAK:
        before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        if after in _KEPT_BEFORE or before == _KEPT_AFTER or (before.isdigit() and after.isdigit()):
            return found
    return " "
