"""HTML to blocks: pages, fragments, and what Google Docs, Word and Notion put on the clipboard."""

import re
from dataclasses import dataclass, field, replace
from html import escape
from itertools import pairwise
from typing import Any

import lxml.html
from lxml import etree

from composer.reading import plain_text
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
from composer.reading.errors import MOST_LINES, DigestError, too_long
from composer.reading.html_elements import BLOCKS, INLINE, SAME_AS, link_address, why_left_out
from composer.reading.inline import as_html, is_bold, tidied, without_tags

MAX_DEPTH = 200
_BOLD = re.compile(r"font-weight:\s*(?:bold|[6-9]00)", re.IGNORECASE)
_NOT_BOLD = re.compile(r"font-weight:\s*(?:normal|[1-4]00)", re.IGNORECASE)
_ITALIC = re.compile(r"font-style:\s*italic", re.IGNORECASE)
_ALONE = re.compile(r"<a href=\"([^\"]*)\">[^<]*</a>")


def read(text: str, *, line: int = 1) -> Document:
    """Raises DigestError where the tags nest deeper than any page's, or where there are too many paragraphs."""
    reader = _Reader(first_line=line, plain_lines="<html" not in text[:2000].lower() and "<body" not in text.lower())
    if text.strip():
        reader.walk(_parsed(text, line))
    reader.flush()
    return Document(
        format="html", blocks=tuple(_counted(reader.blocks)), dropped=tuple(reader.dropped), title=reader.title
    )


def _parsed(text: str, line: int) -> Any:
    parser = lxml.html.HTMLParser(huge_tree=True, remove_pis=True, encoding="utf-8")
    # A marker of its own keeps loose text at the top where it stands.
    try:
        tree = lxml.html.document_fromstring(text.encode("utf-8", "replace"), parser=parser, ensure_head_body=True)
    except etree.ParserError:
        # Nothing but comments, of which the last may have no end: they are read as what stands in a page, and told of.
        page = f"<body>{text}".encode("utf-8", "replace")
        tree = lxml.html.document_fromstring(page, parser=parser, ensure_head_body=True)
    deep = [error for error in parser.error_log if "depth" in error.message.lower()]
    if deep:
        raise DigestError(line + deep[0].line - 1, f"its tags nest deeper than {MAX_DEPTH} levels; take the markup out")
    return tree


@dataclass
class _List:
    ordered: bool
    number: int
    #: Whether the list says where its count begins.
    explicit: bool


@dataclass
class _Reader:
    first_line: int
    #: Whether text outside of any element keeps its lines, as in a text with a few tags in it.
    plain_lines: bool
    blocks: list[Block] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    title: str = ""
    parts: list[str] = field(default_factory=list)
    #: Inline elements that are open, as in their tags, and how many of them each element of the page opened.
    open: list[str] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)
    #: Images met inside inline elements; they stand behind the block.
    after: list[Block] = field(default_factory=list)
    lists: list[_List] = field(default_factory=list)
    line: int = 1
    kind: str = ""
    quotes: int = 0
    marker: str = ""
    item_number: int | None = None

    def walk(self, root: Any) -> None:
        """Depth first, without recursion: pages nest as they like."""
        stack: list[tuple[Any, bool]] = [(root, False)]
        while stack:
            element, leaving = stack.pop()
            if len(self.blocks) > MOST_LINES:
                raise too_long(self.blocks[MOST_LINES].line)
            if leaving:
                self._leave(element)
                self._tail(element)
                continue
            if not isinstance(element.tag, str):
                self._comment(element)
                self._tail(element)
                continue
            if self._left_out(element):
                self._tail(element)
                continue
            if element.tag == "tr" and self._row(element):
                self._tail(element)
                continue
            self._enter(element)
            stack.append((element, True))
            if element.tag not in {"br", "img", "hr"}:
                self._text(element.text, element)
            stack.extend((child, False) for child in reversed(element))

    def _place(self, element: Any) -> int:
        return self.first_line + (element.sourceline or 1) - 1

    def _left_out(self, element: Any) -> bool:
        tag = element.tag
        if tag in {"title", "head"}:
            found = element if tag == "title" else element.find("title")
            if found is not None:
                self.title = clean(" ".join(found.text_content().split()))
        reason = why_left_out(element, plain_lines=self.plain_lines)
        if not reason:
            return False
        text = " ".join(element.text_content().split())
        if text and tag != "style":
            self.dropped.append(Dropped(line=self._place(element), text=cut(text), reason=reason))
        return True

    def _comment(self, element: Any) -> None:
        text = " ".join((element.text or "").split())
        if text and not text.startswith("[") and text not in {"StartFragment", "EndFragment"}:
            self.dropped.append(Dropped(line=self._place(element), text=cut(text), reason="a comment in the HTML"))

    def _enter(self, element: Any) -> None:
        tag = element.tag
        if tag in BLOCKS:
            self.flush()
            self.line = self._place(element)
        if tag in {"ol", "ul"}:
            start = element.get("start") or ""
            number = int(start) if start.isascii() and start.isdigit() and len(start) < 4 else 1
            self.lists.append(_List(ordered=tag == "ol", number=number, explicit=bool(start)))
        elif tag == "li":
            self._item(element)
        elif tag == "blockquote":
            self.quotes += 1
        elif tag == "br":
            self.flush(keep_kind=True)
            self.line = self._place(element)
        elif tag == "hr":
            self.blocks.append(Rule(line=self._place(element), text="* * *"))
        elif tag == "img":
            self._image(element)
        elif tag not in BLOCKS:
            self._open_inline(element)
        if re.fullmatch("h[1-6]", tag):
            self.kind = tag

    def _leave(self, element: Any) -> None:
        tag = element.tag
        if tag in BLOCKS:
            self.flush()
        if tag in {"ol", "ul"} and self.lists:
            self.lists.pop()
        elif tag == "blockquote":
            self.quotes -= 1
        elif tag not in BLOCKS and tag not in {"br", "img"}:
            for _ in range(self.opened.pop()):
                self.parts.append(f"</{_name(self.open.pop())}>")

    def _open_inline(self, element: Any) -> None:
        style = element.get("style") or ""
        name = SAME_AS.get(element.tag, element.tag)
        wanted: list[str] = []
        if name == "a":
            href = link_address(element.get("href") or "")
            if href:
                wanted.append(f'a href="{escape(href)}"')
        elif name in {"b", "strong"} and _NOT_BOLD.search(style):
            pass
        elif name in INLINE:
            wanted.append(name)
        if name not in {"b", "strong"} and _BOLD.search(style):
            wanted.append("strong")
        if name not in {"i", "em"} and _ITALIC.search(style):
            wanted.append("em")
        self.parts += [f"<{opener}>" for opener in wanted]
        self.open += wanted
        self.opened.append(len(wanted))

    def _item(self, element: Any) -> None:
        self.kind = "li"
        current = self.lists[-1] if self.lists else _List(ordered=False, number=1, explicit=False)
        value = element.get("value") or ""
        if current.ordered and value.isascii() and value.isdigit() and len(value) < 4:
            current.number, current.explicit = int(value), True
        self.item_number = current.number if current.ordered else None
        self.marker = f"{current.number}." if current.ordered else "•"
        current.number += 1

    def _text(self, text: str | None, parent: Any) -> None:
        if not text:
            return
        loose = self.plain_lines and parent.tag in {"body", "html"} and not self.lists
        if loose and "\n" in text and not self.open:
            self._loose(text)
        elif parent.tag == "pre":
            for offset, written in enumerate(text.split("\n")):
                if offset:
                    self.flush(keep_kind=True)
                self.parts.append(escape(written, quote=False))
        else:
            self.parts.append(escape(text.replace("\n", " ").replace("\r", " "), quote=False))

    def _loose(self, text: str) -> None:
        """Text between elements keeps its lines: somebody wrote a text with a few tags in it."""
        first, *rest = text.split("\n")
        self.parts.append(escape(first, quote=False))
        for written in rest[:-1]:
            self.flush()
            self.line += 1
            self.parts.append(escape(written, quote=False))
        self.flush()
        self.line += 1
        self.parts.append(escape(rest[-1], quote=False))

    def _tail(self, element: Any) -> None:
        parent = element.getparent()
        if parent is None or not element.tail:
            return
        if element.tag in BLOCKS if isinstance(element.tag, str) else False:
            self.line = self._place(element)
        self._text(element.tail, parent)

    def _image(self, element: Any) -> None:
        url = (element.get("src") or "").strip()
        alt = clean(" ".join((element.get("alt") or "").split()))
        size = (element.get("width") or "").strip(), (element.get("height") or "").strip()
        if "1" in size or "0" in size or not url:
            self.dropped.append(Dropped(line=self._place(element), text=cut(url or alt), reason="an invisible image"))
            return
        if self.open:
            # Inside a link or a bold run: the image stands behind what is open.
            self.after.append(Image(line=self._place(element), text=alt, url=url))
            return
        kind, marker, number = self.kind, self.marker, self.item_number
        self.flush()
        self.kind, self.marker, self.item_number = kind, marker, number
        self.blocks.append(Image(line=self._place(element), text=alt, url=url))

    def _row(self, element: Any) -> bool:
        """A row of a table of data; a table that lays out a page is walked through."""
        cells = [child for child in element if child.tag in {"td", "th"}]
        if len(cells) < 2 or any(
            isinstance(inner.tag, str) and inner.tag in BLOCKS - {"p"}
            for cell in cells
            for inner in cell.iterdescendants()
        ):
            return False
        texts = tuple(clean(" ".join(cell.text_content().split())) for cell in cells)
        if (
            any(len(text) > 200 for text in texts)
            or element.find(".//img") is not None
            or element.find(".//a") is not None
        ):
            return False
        self.flush()
        shown = " | ".join(texts)
        if shown.strip(" |"):
            self.blocks.append(TableRow(line=self._place(element), text=shown, html=as_html(shown), cells=texts))
        return True

    def flush(self, *, keep_kind: bool = False) -> None:
        """End the block being written. Inline elements that are open go on in the next one."""
        if self.parts:
            closing = "".join(f"</{_name(opener)}>" for opener in reversed(self.open))
            html = clean("".join(self.parts) + closing)
            text = clean(without_tags(html))
            self.parts = [f"<{opener}>" for opener in self.open]
            if text:
                self.blocks.append(self._block(text, tidied(html)))
                self.marker, self.item_number = "", None
                self.kind = "" if self.kind == "li" else self.kind
        self.blocks += self.after
        self.after.clear()
        if not keep_kind:
            self.kind = ""

    def _block(self, text: str, html: str) -> Block:
        line = self.line
        if self.kind == "li" or (self.lists and self.marker):
            return ListItem(
                line=line,
                text=text,
                html=html,
                marker=self.marker,
                number=self.item_number,
                depth=max(0, len(self.lists) - 1),
            )
        if self.kind.startswith("h"):
            return Heading(line=line, text=text, html=html, level=int(self.kind[1]))
        if html == as_html(text) or html == escape(text, quote=False):
            plain = plain_text.block_of(text, line=line)
            return replace(plain, quote=True) if self.quotes and isinstance(plain, Paragraph) else plain
        alone = _ALONE.fullmatch(html)
        if alone and "://" in text and " " not in text:
            return LinkLine(line=line, text=text, html=html, url=without_tags(alone[1]))
        return Paragraph(line=line, text=text, html=html, bold=is_bold(html), quote=bool(self.quotes))


def _name(opener: str) -> str:
    return opener.split(" ", 1)[0]


def _counted(blocks: list[Block]) -> list[Block]:
    """Word and editors without `start` begin every list at 1: where all lists hold one item, the items count on."""
    items = [
        index
        for index, block in enumerate(blocks)
        if isinstance(block, ListItem) and block.number is not None and not block.depth
    ]
    if len(items) < 2 or any(second - first == 1 for first, second in pairwise(items)):
        return blocks
    if any(blocks[index].number != 1 for index in items):  # type: ignore[attr-defined]
        return blocks
    counted = list(blocks)
    for number, index in enumerate(items, start=1):
        item = blocks[index]
        assert isinstance(item, ListItem)
        counted[index] = replace(item, number=number, marker=f"{number}.")
    return counted
