"""A document as every reader hands it on: typed blocks in order, each with the line it began on. Plain data.

`text` is a block without markup, on one line. `html` is the same with what a story may hold of inline markup
(`composer.sanitising.rich_text`). Lines are counted from 1; in a Word file they are its paragraphs.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Block:
    line: int
    text: str
    html: str = ""


@dataclass(frozen=True, kw_only=True)
class Paragraph(Block):
    #: Whether all of it is set in bold.
    bold: bool = False
    quote: bool = False


@dataclass(frozen=True, kw_only=True)
class Heading(Block):
    #: 1 to 6.
    level: int


@dataclass(frozen=True, kw_only=True)
class ListItem(Block):
    #: The sign or number it was written with: “•”, “1.”, “1)”.
    marker: str
    #: None in a list that counts nothing.
    number: int | None = None
    #: 0 for the items of an outermost list.
    depth: int = 0


@dataclass(frozen=True, kw_only=True)
class Image(Block):
    """Its text is what the page says of it (the alternative text)."""

    url: str


@dataclass(frozen=True, kw_only=True)
class LinkLine(Block):
    """A link with nothing beside it."""

    url: str


@dataclass(frozen=True, kw_only=True)
class Rule(Block):
    """A line across the page."""


@dataclass(frozen=True, kw_only=True)
class TableRow(Block):
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """What is not in the edition, and why."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """What could have been read in another way: how it was read, and what to do if that was wrong."""

    line: int
    text: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Document:
    #: “text”, “markdown”, “html”, “docx” or “eml”.
    format: str
    blocks: tuple[Block, ...]
    #: What the format itself says the title is (the subject of a mail); used where the text has none.
    title: str = ""
    title_line: int = 1
    #: Left out by the reader.
    dropped: tuple[Dropped, ...] = ()
    doubts: tuple[Doubt, ...] = ()
