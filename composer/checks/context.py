import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from lxml import html as lxml_html

from composer.checks.external_facts import ExternalFacts
from composer.content import (
    Block,
    ButtonBlock,
    CorrectionBlock,
    EditionContent,
    Image,
    NoteBlock,
    SectionBlock,
    SponsorBlock,
    StoryBlock,
)
from composer.entities import unescape
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
    """A piece of what the editor wrote."""

    where: str
    #: As it is stored: sanitised HTML for "html", else plain.
    source: str
    kind: Literal["text", "html", "url", "alt"] = "text"

    @property
    def text(self) -> str:
        """Without markup; merge tags as written."""
        return unescape(_TAGS.sub(" ", self.source)) if self.kind == "html" else self.source


@dataclass(frozen=True)
class CheckContext:
    """An edition and its rendering, with what several checks look at worked out once."""

    content: EditionContent
    rendering: Rendering
    facts: ExternalFacts = field(default_factory=ExternalFacts)

    @cached_property
    def page(self) -> Any:
        """The HTML as an lxml document."""
        return lxml_html.document_fromstring(
            self.rendering.html.encode(), parser=lxml_html.HTMLParser(encoding="utf-8")
        )

    @cached_property
    def styles(self) -> tuple[str, ...]:
        """The head's style blocks."""
        return tuple(style.text or "" for style in self.page.iter("style"))

    @cached_property
    def texts(self) -> tuple[Text, ...]:
        """Every text of the editor's, with where it stands."""
        return tuple(texts(self.content))

    @cached_property
    def images(self) -> tuple[tuple[str, Image], ...]:
        return tuple(
            (where, block.image)
            for where, block in self.blocks
            if isinstance(block, StoryBlock | SponsorBlock) and block.image
        )

    @cached_property
    def blocks(self) -> tuple[tuple[str, Block], ...]:
        return tuple(named_blocks(self.content))


def named_blocks(content: EditionContent) -> Iterator[tuple[str, Block]]:
    """The blocks with what problems call them: “story 3” by the number that readers see, “block 5” by its place."""
    number = 0
    for position, block in enumerate(content.blocks, start=1):
        number += isinstance(block, StoryBlock)
        yield (f"story {number}" if isinstance(block, StoryBlock) else f"block {position}"), block


def texts(content: EditionContent) -> Iterator[Text]:
    """Every text of an edition that is not empty, in reading order."""
    call = content.call_to_action
    yield from _filled("subject", (content.subject,))
    yield from _filled("preheader", (content.preheader,))
    yield from _filled("title", (content.title,))
    yield from _filled("introduction", (), html=(content.introduction_html,))
    for where, block in named_blocks(content):
        yield from _of_block(where, block)
    yield from _filled("closing", (content.closing_heading,), html=(content.closing_html,))
    if call:
        yield from _filled("call to action", (call.label,), urls=(call.url,))


def _of_block(where: str, block: object) -> Iterator[Text]:
    match block:
        case StoryBlock():
            yield from _filled(where, (block.headline, block.lede), html=(block.body_html,))
            yield from _filled(where, (block.source_name,), urls=(block.source_url,))
        case SectionBlock():
            yield from _filled(where, (block.heading,))
        case NoteBlock() | CorrectionBlock():
            yield from _filled(where, (), html=(block.body_html,))
        case SponsorBlock():
            yield from _filled(where, (block.name,), html=(block.body_html,), urls=(block.url,))
        case ButtonBlock():
            yield from _filled(where, (block.label,), urls=(block.url,))
    image = block.image if isinstance(block, StoryBlock | SponsorBlock) else None
    if image:
        yield from (Text(where=where, source=alt, kind="alt") for alt in (image.alt, image.url) if alt)


def _filled(where: str, plain: Iterable[str], *, html: Iterable[str] = (), urls: Iterable[str] = ()) -> Iterator[Text]:
    yield from (Text(where=where, source=text) for text in plain if text)
    yield from (Text(where=where, source=text, kind="html") for text in html if text)
    yield from (Text(where=where, source=text, kind="url") for text in urls if text)
