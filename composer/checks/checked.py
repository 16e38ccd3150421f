import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from typing import Any, Literal

from lxml import html as lxml_html

from composer.content import (
    ButtonBlock,
    CorrectionBlock,
    EditionContent,
    Image,
    NoteBlock,
    SectionBlock,
    SponsorBlock,
    StoryBlock,
)
from composer.rendering.result import Rendering

_TAGS = re.compile(r"<[^>]*>")


@dataclass(frozen=True, kw_only=True)
class Problem:
    level: Literal["error", "warning"]
    #: Stable, `topic.what`: what the desk, the documentation and scripts refer to.
    code: str
    #: What is wrong and what to do.
    message: str
    #: “subject”, “story 3” …; empty for the edition as a whole.
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class Text:
    """A piece of what the editor wrote, without markup."""

    where: str
    text: str


@dataclass(frozen=True)
class Checked:
    """An edition and its rendering, with what several checks look at worked out once."""

    content: EditionContent
    rendering: Rendering

    @cached_property
    def page(self) -> Any:
        """The HTML as an lxml document."""
        return lxml_html.document_fromstring(
            self.rendering.html.encode(), parser=lxml_html.HTMLParser(encoding="utf-8")
        )

    @cached_property
    def texts(self) -> tuple[Text, ...]:
        """Every text of the editor's, with where it stands; merge tags as written."""
        return tuple(Text(where=where, text=_bare(text)) for where, text in _written(self.content) if text)

    @cached_property
    def images(self) -> tuple[tuple[str, Image], ...]:
        return tuple(
            (where, block.image)
            for where, block in self.blocks
            if isinstance(block, StoryBlock | SponsorBlock) and block.image
        )

    @cached_property
    def blocks(self) -> tuple[tuple[str, object], ...]:
        return tuple(_named(self.content))


def _bare(html: str) -> str:
    return unescape(_TAGS.sub(" ", html)) if "<" in html or "&" in html else html


def _named(content: EditionContent) -> Iterator[tuple[str, object]]:
    number = 0
    for position, block in enumerate(content.blocks, start=1):
        number += isinstance(block, StoryBlock)
        yield (f"story {number}" if isinstance(block, StoryBlock) else f"block {position}"), block


def _written(content: EditionContent) -> Iterator[tuple[str, str]]:
    yield from (
        ("subject", content.subject),
        ("preheader", content.preheader),
        ("title", content.title),
        ("introduction", content.introduction_html),
    )
    for where, block in _named(content):
        for text in _texts(block):
            yield where, text
    yield from (("closing", content.closing_heading), ("closing", content.closing_html))
    if content.call_to_action:
        yield from (("call to action", content.call_to_action.label), ("call to action", content.call_to_action.url))


def _texts(block: object) -> tuple[str, ...]:
    match block:
        case StoryBlock():
            image = (block.image.alt, block.image.url) if block.image else ()
            return (block.headline, block.lede, block.body_html, block.source_name, block.source_url, *image)
        case SectionBlock():
            return (block.heading,)
        case NoteBlock() | CorrectionBlock():
            return (block.body_html,)
        case SponsorBlock():
            return (block.name, block.body_html, block.url)
        case ButtonBlock():
            return (block.label, block.url)
    return ()
