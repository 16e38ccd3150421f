"""Sanitised rich text as paragraphs of plain text, its links noted for the foot of the block."""

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

    def finished(self) -> list[str]:
        self._flush()
        self._end_list()
        return self.done

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links.append((dict(attrs).get("href") or "", len(self.text)))
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


def _start(attrs: list[tuple[str, str | None]]) -> int:
    written = dict(attrs).get("start") or "1"
    return int(written) if written.isascii() and written.isdigit() and len(written) < 6 else 1
