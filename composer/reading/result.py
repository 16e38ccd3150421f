"""What reading a digest gives: its parts as plain data, and the report of what became of every line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Any, Literal

from composer.reading.document import Block, Doubt, Dropped, Heading, ListItem, Paragraph
from composer.reading.headlines import unescaped
from composer.reading.inline import hrefs
from composer.reading.numbers import looks_like_a_heading
from composer.reading.wrapping import ends_a_sentence
from composer.sanitising import printable

#: Characters; a shorter line without the end of a sentence is no text that a heading could stand above.
_SHORT = 60


@dataclass(frozen=True, kw_only=True)
class DigestStory:
    number: int
    headline: str
    #: The first paragraph; empty where the story begins with a list, a quote or a paragraph that has links.
    lede: str
    #: Everything else, in order.
    body: tuple[Block, ...]
    #: Where the headline stands, counted from 1.
    line: int
    source_name: str = ""
    source_url: str = ""

    @property
    def paragraphs(self) -> tuple[str, ...]:
        return tuple(unescaped(block.text) for block in self.body)

    @property
    def subheadings(self) -> tuple[int, ...]:
        """Indices of those paragraphs that are small headings."""
        return tuple(index for index in range(len(self.body)) if is_subheading(self.body, index))

    @property
    def body_html(self) -> str:
        """The paragraphs behind the lede as rich text."""
        return blocks_to_html(self.body)


def split_lede(blocks: Sequence[Block]) -> tuple[str, tuple[Block, ...]]:
    """A story's lede and its body: a plain first paragraph is the lede, one that quotes or links stays in the body."""
    first = blocks[0]
    if type(first) is Paragraph and not first.quote and not hrefs(first.html):
        return unescaped(first.text), tuple(blocks[1:])
    return "", tuple(blocks)


@dataclass(frozen=True, kw_only=True)
class DigestSection:
    heading: str
    line: int
    #: The number of the story it stands above.
    before: int


@dataclass(frozen=True, kw_only=True)
class DigestCall:
    #: The whole sentence, without its URL.
    text: str
    url: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Report:
    #: “text”, “markdown”, “html”, “docx” or “eml”.
    format: str
    #: As Python names it; of a Word file or a mail, that of its text.
    encoding: str
    #: A BCP 47 tag; empty where it could not be told.
    language: str
    direction: Literal["ltr", "rtl"]
    stories: int
    sections: int
    dropped: tuple[Dropped, ...]
    doubts: tuple[Doubt, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "format": self.format,
            "encoding": self.encoding,
            "language": self.language,
            "direction": self.direction,
            "stories": self.stories,
            "sections": self.sections,
            "dropped": [{"line": one.line, "text": one.text, "reason": one.reason} for one in self.dropped],
            "doubts": [{"line": one.line, "text": one.text, "message": one.message} for one in self.doubts],
        }


@dataclass(frozen=True, kw_only=True)
class Digest:
    title: str
    introduction_blocks: tuple[Block, ...]
    stories: tuple[DigestStory, ...]
    sections: tuple[DigestSection, ...]
    closing_heading: str
    closing_blocks: tuple[Block, ...]
    call_to_action: DigestCall | None
    report: Report
    #: Whether its headlines have numbers; else they are what looks like headlines.
    is_numbered: bool = False

    @property
    def introduction(self) -> tuple[str, ...]:
        return tuple(unescaped(block.text) for block in self.introduction_blocks)

    @property
    def introduction_html(self) -> str:
        return blocks_to_html(self.introduction_blocks, subheadings=False)

    @property
    def closing(self) -> tuple[str, ...]:
        return tuple(unescaped(block.text) for block in self.closing_blocks)

    @property
    def closing_html(self) -> str:
        return blocks_to_html(self.closing_blocks, subheadings=False)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was decided in doubt, each with its line; for the editor to look at."""
        return tuple(f"line {doubt.line}: {doubt.message}" for doubt in self.report.doubts)


def is_subheading(blocks: tuple[Block, ...], index: int) -> bool:
    """Whether a block is a small heading: it is one, or it looks like one and text follows it."""
    block = blocks[index]
    if isinstance(block, Heading):
        return True
    if type(block) is not Paragraph or block.quote or index + 1 >= len(blocks):
        return False
    following = blocks[index + 1]
    is_text = type(following) is not Paragraph or len(following.text) > _SHORT or ends_a_sentence(following.text)
    is_text = is_text or "//" in following.text
    return is_text and looks_like_a_heading(block.text)


def blocks_to_html(blocks: tuple[Block, ...], *, subheadings: bool = True) -> str:
    """The blocks as rich text (`composer.sanitising.rich_text`): lists and quotes are put together again."""
    parts: list[str] = []
    for kind, run in groupby(enumerate(blocks), lambda pair: _kind(pair[1])):
        if kind in {"ul", "ol"}:
            parts.append(_list(kind, [block for _, block in run]))
        elif kind == "blockquote":
            parts.append(f"<blockquote>{''.join(f'<p>{_inner(block)}</p>' for _, block in run)}</blockquote>")
        else:
            for index, block in run:
                tag = "h3" if subheadings and is_subheading(blocks, index) else "p"
                parts.append(f"<{tag}>{_inner(block)}</{tag}>")
    return "".join(parts)


def _kind(block: Block) -> str:
    if isinstance(block, ListItem):
        return "ul" if block.number is None else "ol"
    return "blockquote" if isinstance(block, Paragraph) and block.quote else ""


def _list(kind: str, items: Iterable[Block]) -> str:
    numbers = [item.number for item in items if isinstance(item, ListItem)]
    start = f' start="{numbers[0]}"' if kind == "ol" and numbers and numbers[0] not in {None, 1} else ""
    return f"<{kind}{start}>{''.join(f'<li>{_inner(item)}</li>' for item in items)}</{kind}>"


def _inner(block: Block) -> str:
    html = block.html or escape(block.text, quote=False)
    text = unescaped(block.text)
    return printable(html if text == block.text else html.replace(block.text[:5], text[:4], 1))
