"""The edition as templates want it: blocks with their kind, number and heading level, and the masthead's small facts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Literal

from composer.content import (
    Block,
    ButtonBlock,
    CorrectionBlock,
    DividerBlock,
    EditionContent,
    NoteBlock,
    SectionBlock,
    SponsorBlock,
    StoryBlock,
    anchor,
)
from composer.rendering.result import Links
from composer.rendering.strings import Words, direction_of_language, long_date, words

_KINDS: dict[type[Block], str] = {
    StoryBlock: "story",
    SectionBlock: "section",
    NoteBlock: "note",
    SponsorBlock: "sponsor",
    ButtonBlock: "button",
    DividerBlock: "divider",
    CorrectionBlock: "correction",
}
#: As BCP 47 has them, roughly (RFC 5646, 2.1).
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,3}")
_TAGS = re.compile(r"<[^>]*>")


@dataclass(frozen=True, kw_only=True)
class Entry:
    kind: str
    block: Block
    anchor: str
    #: The story's number as readers see it; 0 for everything else.
    number: int
    #: The heading level of the block's own heading.
    level: int
    #: BCP 47, of a story in another language than the publication's; else empty. And the way that language is written.
    language: str
    direction: Literal["ltr", "rtl"]
    #: Whether it stands right under a section's heading, which has a rule already.
    opens: bool


@dataclass(frozen=True, kw_only=True)
class Group:
    """Entries of one kind that follow each other, for themes that put stories side by side."""

    kind: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, kw_only=True)
class View:
    edition: EditionContent
    entries: tuple[Entry, ...]
    groups: tuple[Group, ...]
    #: The stories alone, for a list of contents.
    stories: tuple[Entry, ...]
    #: The publication's name where the edition's title does not begin with it; empty where it does.
    brand: str
    address: tuple[str, ...]
    #: Why the reader gets this mail.
    reason: str
    #: The website as people write it.
    website: str
    words: Words
    links: Links
    #: “No. 118”, the date, and how much there is to read, as far as known.
    facts: tuple[str, ...]


def view(edition: EditionContent, links: Links) -> View:
    terms = words(edition.publication.language)
    facts = [
        terms.number.format(edition.number) if edition.number else "",
        long_date(edition.date, edition.publication.language) if edition.date else "",
        terms.summary(len(edition.stories), _length(edition)) if edition.stories else "",
    ]
    entries = tuple(_entries(edition))
    publication = edition.publication
    named = edition.title.startswith(publication.title)
    return View(
        edition=edition,
        entries=entries,
        groups=tuple(Group(kind=kind, entries=tuple(run)) for kind, run in groupby(entries, attrgetter("kind"))),
        stories=tuple(entry for entry in entries if entry.kind == "story"),
        brand="" if named else publication.title,
        address=tuple(publication.postal_address.splitlines()),
        reason=terms.reason.replace("{title}", publication.title),
        website=re.sub(r"^https?://|/$", "", publication.website),
        words=terms,
        links=links,
        facts=tuple(fact for fact in facts if fact),
    )


def _entries(edition: EditionContent) -> Iterator[Entry]:
    number, level, opens = 0, 2, False
    for block in edition.blocks:
        kind = _KINDS[type(block)]
        if kind == "section":
            # Stories of a section are one level below its heading.
            level = 3
        number += kind == "story"
        language = _own_language(block, edition.publication.language)
        yield Entry(
            kind=kind,
            block=block,
            anchor=anchor(block),
            number=number if kind == "story" else 0,
            level=2 if kind == "section" else level,
            language=language,
            direction=direction_of_language(language) if language else edition.publication.direction,
            opens=opens,
        )
        opens = kind == "section"


def _own_language(block: Block, usual: str) -> str:
    language = block.language if isinstance(block, StoryBlock) and _LANGUAGE.fullmatch(block.language) else ""
    return "" if language.lower() == usual.lower() else language


def _length(edition: EditionContent) -> int:
    """Words a reader has before them."""
    texts = [edition.introduction_html, edition.closing_html]
    texts += [f"{story.headline} {story.lede} {story.body_html}" for story in edition.stories]
    return sum(len(_TAGS.sub(" ", text).split()) for text in texts)
