"""Sanitised rich text as paragraphs of plain text, its links noted for the foot of the block."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser

from composer.rendering.plain_text.layout import fill


@dataclass
class Footnotes:
    """Links in the order met; the numbers run through the whole edition, the same link keeps its number."""

    numbers: dict[str, int] = field(default_factory=dict)
    #: Those of the block being written.
    pending: list[str] = field(default_factory=list)

    def mark(self, url: str) -> str:
        if url not in self.numbers:
            self.numbers[url] = len(self.numbers) + 1
            self.pending.append(url)
        return f"[{self.numbers[url]}]"

    def take(self) -> list[str]:
        lines = [f"[{self.numbers[url]}] {url}" for url in self.pending]
        self.pending.clear()
        return lines


def paragraphs(html: str, footnotes: Footnotes, *, indent: str = "") -> list[str]:
    """Filled paragraphs, to be set apart by empty lines (the items of a list are one paragraph)."""
    reader = _Reader(footnotes, indent)
    reader.feed(html)
    reader.close()
    return reader.finished()


class _Reader(HTMLParser):
    def __init__(self, footnotes: Footnotes, indent: str) -> None:
        super().__init__(convert_charrefs=True)
        self.footnotes = footnotes
        self.indent = indent
        self.done: list[str] = []
        self.text: list[str] = []
        self.lists: list[int | None] = []
        self.marker = ""
        self.quotes = 0
        self.items: list[str] = []
        self.links: list[tuple[str, int]] = []
        self.marks: list[tuple[str, int]] = []

    def finished(self) -> list[str]:
        self._flush()
        self._end_list()
        return self.done

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links.append((dict(attrs).get("href") or "", len(self.text)))
        elif tag in _MARKS:
            self.marks.append((tag, len(self.text)))
        elif tag == "br":
            self._flush()
        elif tag in {"p", "h3", "h4", "blockquote"}:
            self._flush()
            self.quotes += tag == "blockquote"
        elif tag in {"ul", "ol"}:
            self._flush()
            self.lists.append(None if tag == "ul" else _start(attrs))
        elif tag == "li":
            self._flush()
            self._number_item()

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self.links:
            self._note(*self.links.pop())
        elif tag in _MARKS and self.marks and self.marks[-1][0] == tag:
            start = self.marks.pop()[1]
            self.text[start:] = [_MARKS[tag]("".join(self.text[start:]))]
        elif tag in {"p", "h3", "h4", "li"}:
            self._flush()
        elif tag == "blockquote":
            self._flush()
            self.quotes = max(0, self.quotes - 1)
        elif tag in {"ul", "ol"}:
            self._flush()
            if self.lists:
                self.lists.pop()
            if not self.lists:
                self._end_list()

    def _note(self, url: str, start: int) -> None:
        shown = "".join(self.text[start:]).strip()
        if url and not url.startswith("#") and shown and shown not in {url, url.removeprefix("mailto:")}:
            self.text.append(f" {self.footnotes.mark(url)}")

    def _number_item(self) -> None:
        number = self.lists[-1] if self.lists else None
        if number is None:
            self.marker = "- "
        else:
            self.marker = f"{number}. "
            self.lists[-1] = number + 1

    def _flush(self) -> None:
        text = " ".join("".join(self.text).split(" ")).strip()
        self.text.clear()
        self.marks.clear()
        if not text:
            return
        margin = self.indent + "> " * self.quotes + "  " * max(0, len(self.lists) - 1)
        first = margin + self.marker
        rest = margin + " " * len(self.marker)
        if self.lists:
            # A second paragraph of an item lines up with the first.
            first, rest = (first, rest) if self.marker else (f"{margin}  ", f"{margin}  ")
        filled = fill(text, first=first, rest=rest)
        self.marker = ""
        (self.items if self.lists else self.done).append(filled)

    def _end_list(self) -> None:
        if self.items:
            self.done.append("\n".join(self.items))
            self.items = []


def _superscript(text: str) -> str:
    """`10^6`, not 106; marks and ordinals that are read without it stay as they are."""
    if not text.strip() or not any(character.isalnum() for character in text) or _ORDINAL.fullmatch(text.strip()):
        return text
    return f"^{text}" if _ONE_TERM.fullmatch(text) else f"^({text})"


def _subscript(text: str) -> str:
    """`H₂O`; what Unicode has no subscript for is set apart: `x_max`."""
    lowered = text.translate(_SUBSCRIPTS)
    return f"_{text}" if text.strip() and lowered == text else lowered


def _struck(text: str) -> str:
    return f"~~{text}~~" if text.strip() else text


_ORDINAL = re.compile(r"st|nd|rd|th|e|er|re|o|os|a|as|TM|SM|R", re.IGNORECASE)
_ONE_TERM = re.compile(r"[-+−]?\w+")
_SUBSCRIPTS = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
#: What would mean something else without its mark.
_MARKS: dict[str, Callable[[str], str]] = {"sup": _superscript, "sub": _subscript, "s": _struck}


def _start(attrs: list[tuple[str, str | None]]) -> int:
    written = dict(attrs).get("start") or "1"
    return int(written) if written.isascii() and written.isdigit() and len(written) < 6 else 1
