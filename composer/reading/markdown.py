"""Markdown (CommonMark with tables and strikethrough) to blocks."""

import re
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from composer.reading import html as html_reader
from composer.reading.characters import clean, cut
from composer.reading.document import (
    Block,
    Document,
    Dropped,
    Heading,
    Image,
    LinkLine,
    ListItem,
    Paragraph,
    Rule,
    TableRow,
)
from composer.reading.errors import DigestError
from composer.reading.inline import as_html, is_bold, without_tags
from composer.reading.plain_text import BULLET
from composer.reading.wrapping import continues, wrapped_at
from composer.sanitising import TextTooLargeError, rich_text

_MARKDOWN = MarkdownIt("commonmark", {"maxNesting": 30}).enable(["table", "strikethrough"])
_TAGS = {"strong_open": "<strong>", "strong_close": "</strong>", "em_open": "<em>", "em_close": "</em>", "s_open": "<s>",
         "s_close": "</s>", "link_close": "</a>"}  # fmt: skip
_COMMENT = re.compile(r"\s*<!--(.*?)-->\s*", re.DOTALL)


def read(text: str) -> Document:
    env: dict[str, Any] = {}
    tokens = _MARKDOWN.parse(text, env)
    reader = _Reader(width=wrapped_at([clean(line) for line in text.split("\n")]), lines=text.split("\n"))
    for token in tokens:
        reader.take(token)
    reader.dropped += _definitions(env, reader.lines)
    return Document(format="markdown", blocks=tuple(reader.blocks), dropped=tuple(reader.dropped))


def _definitions(env: dict[str, Any], lines: list[str]) -> list[Dropped]:
    found = [*env.get("references", {}).values(), *env.get("duplicate_refs", [])]
    reason = "says where the links of a name lead"
    dropped: list[Dropped] = []
    for reference in found:
        begin, end = reference["map"]
        dropped += [Dropped(line=line + 1, text=cut(clean(lines[line])), reason=reason) for line in range(begin, end)]
    return dropped


@dataclass
class _Reader:
    width: int
    lines: list[str]
    blocks: list[Block] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    lists: list[bool] = field(default_factory=list)
    #: Of the item whose first line is still to come.
    marker: str = ""
    number: int | None = None
    level: int = 0
    quotes: int = 0
    cells: list[str] | None = None

    def take(self, token: Token) -> None:
        handler = _HANDLERS.get(token.type)
        if handler:
            getattr(self, handler)(token)

    def _open_list(self, token: Token) -> None:
        self.lists.append(token.type == "ordered_list_open")

    def _close_list(self, _token: Token) -> None:
        self.lists.pop()

    def _open_item(self, token: Token) -> None:
        ordered = self.lists[-1]
        self.number = int(token.info) if ordered and token.info.isdigit() else None
        self.marker = f"{token.info}{token.markup}" if ordered else token.markup or "•"

    def _close_item(self, _token: Token) -> None:
        self.marker = ""

    def _heading(self, token: Token) -> None:
        self.level = int(token.tag[1]) if token.type == "heading_open" else 0

    def _quote(self, token: Token) -> None:
        self.quotes += 1 if token.type == "blockquote_open" else -1

    def _rule(self, token: Token) -> None:
        self.blocks.append(Rule(line=self._line(token), text=clean(self.lines[self._line(token) - 1])))

    @staticmethod
    def _line(token: Token) -> int:
        return (token.map[0] if token.map else 0) + 1

    def _row(self, token: Token) -> None:
        if token.type == "tr_open":
            self.cells = []
            self._row_line = self._line(token)
        elif self.cells is not None:
            text = " | ".join(self.cells)
            self.blocks.append(TableRow(line=self._row_line, text=text, html=as_html(text), cells=tuple(self.cells)))
            self.cells = None

    _row_line: int = 1

    def _inline(self, token: Token) -> None:
        if self.cells is not None:
            self.cells.append(clean(token.content))
            return
        # Everything but HTML that somebody typed is made here, and has no other tags than a story may hold.
        has_markup = any(child.type == "html_inline" for child in token.children or [])
        for offset, inline, images in _lines_of(token.children or [], self.width):
            line = self._line(token) + offset
            self.blocks += [replace(image, line=line) for image in images]
            html = self._sanitised(inline, line) if has_markup else inline
            text = clean(without_tags(html))
            if text:
                self.blocks.append(self._block(text, html, line))

    @staticmethod
    def _sanitised(inline: str, line: int) -> str:
        try:
            return clean(rich_text(inline))
        except TextTooLargeError as error:
            raise DigestError(line, str(error)) from error

    def _block(self, text: str, html: str, line: int) -> Block:
        if self.level:
            return Heading(line=line, text=text, html=html, level=self.level)
        if self.lists and self.marker:
            marker, self.marker = self.marker, ""
            return ListItem(
                line=line, text=text, html=html, marker=marker, number=self.number, depth=len(self.lists) - 1
            )
        bullet = BULLET.match(text)
        if bullet and html.startswith(text[: bullet.end()]):
            end = bullet.end()
            return ListItem(line=line, text=text[end:], html=html[end:], marker=bullet["sign"])
        alone = re.fullmatch(r"<a href=\"([^\"<>]*)\">[^<]*</a>", html)
        if alone and "://" in text and " " not in text:
            return LinkLine(line=line, text=text, html=html, url=without_tags(alone[1]))
        return Paragraph(line=line, text=text, html=html, bold=is_bold(html), quote=bool(self.quotes))

    def _code(self, token: Token) -> None:
        first = self._line(token) + (token.type == "fence")
        if token.info.strip():
            self.dropped.append(
                Dropped(line=first - 1, text=cut(clean(token.info)), reason="names the language of a block of code")
            )
        for offset, written in enumerate(token.content.split("\n")):
            text = clean(written)
            if text:
                # Four blanks at a line's start are an indent more often than code in what editors write.
                fenced = token.type == "fence"
                html = f"<code>{escape(text, quote=False)}</code>" if fenced else as_html(text)
                self.blocks.append(Paragraph(line=first + offset, text=text, html=html))

    def _html(self, token: Token) -> None:
        comment = _COMMENT.fullmatch(token.content)
        if comment:
            self.dropped.append(
                Dropped(line=self._line(token), text=cut(clean(comment[1])), reason="a comment in the HTML")
            )
            return
        found = html_reader.read(token.content, line=self._line(token))
        self.blocks += found.blocks
        self.dropped += found.dropped


#: What of the reader takes a token of each type; all others hold no text.
_HANDLERS = {
    "ordered_list_open": "_open_list",
    "bullet_list_open": "_open_list",
    "ordered_list_close": "_close_list",
    "bullet_list_close": "_close_list",
    "list_item_open": "_open_item",
    "list_item_close": "_close_item",
    "heading_open": "_heading",
    "heading_close": "_heading",
    "blockquote_open": "_quote",
    "blockquote_close": "_quote",
    "hr": "_rule",
    "tr_open": "_row",
    "tr_close": "_row",
    "inline": "_inline",
    "code_block": "_code",
    "fence": "_code",
    "html_block": "_html",
}


def _lines_of(children: list[Token], width: int) -> list[tuple[int, str, list[Image]]]:
    """An inline run as lines of HTML: broken where the writer broke a line that was not wrapped. Offset, HTML, images."""
    lines: list[tuple[int, list[str], list[Image]]] = [(0, [], [])]
    texts: list[list[str]] = [[]]
    breaks: list[tuple[int, bool]] = []
    offset = 0
    linked = 0
    opened: list[str] = []
    # First as written, a line each; those that go on with the one above are joined afterwards.
    for token in children:
        if token.type in {"softbreak", "hardbreak"}:
            offset += 1
            lines[-1][1].extend(f"</{_name(tag)}>" for tag in reversed(opened))
            lines.append((offset, list(opened), []))
            texts.append([])
            breaks.append((offset, token.type == "hardbreak"))
            continue
        html = _html_of(token, linked=bool(linked))
        linked += (token.type == "link_open") - (token.type == "link_close")
        if token.type.endswith("_open"):
            opened.append(html)
        elif token.type.endswith("_close") and opened:
            opened.pop()
        if token.type == "image":
            lines[-1][2].append(_image(token))
        lines[-1][1].append(html)
        texts[-1].append(token.content)
    joined: list[tuple[int, str, list[Image]]] = []
    collected: list[list[str]] = []
    previous = ""
    for index, (at, parts, images) in enumerate(lines):
        text, html = clean("".join(texts[index])), clean("".join(parts))
        hard = index > 0 and breaks[index - 1][1]
        if joined and previous and text and not hard and continues(previous, text, width):
            collected[-1].append(html)
            joined[-1][2].extend(images)
        else:
            joined.append((at, html, images))
            collected.append([html])
        previous = text
    return [(at, " ".join(parts), images) for (at, _, images), parts in zip(joined, collected, strict=True)]


def _name(opener: str) -> str:
    return opener[1:].split(" ", 1)[0].rstrip(">")


def _html_of(token: Token, *, linked: bool) -> str:
    if token.type == "text":
        return escape(token.content, quote=False) if linked else as_html(token.content)
    if token.type == "code_inline":
        return f"<code>{escape(token.content, quote=False)}</code>"
    if token.type == "link_open":
        return f'<a href="{escape(_safe(str(token.attrs.get("href", ""))))}">'
    if token.type == "html_inline":
        return token.content
    return _TAGS.get(token.type, "")


def _safe(url: str) -> str:
    return url if url.lower().startswith(("http://", "https://", "mailto:", "tel:")) else "#"


def _image(token: Token) -> Image:
    return Image(line=1, text=clean(token.content), url=str(token.attrs.get("src", "")))
