"""What an edition says, as plain data: the one thing the renderers, the checks and the parsers agree on.

Everything here is frozen and knows nothing of the database. HTML fields hold sanitised rich text
(`composer.sanitising.rich_text`); every other field is text, not markup. Any text may hold merge tags as an editor
writes them (`{{ first_name | default: "reader" }}`, see `composer.merge_tags`).
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations, zip_longest
from typing import Literal

from newsdesk.core.errors import InputError

MAX_SEGMENTS = 6
#: Pixels that a picture takes up at most from top to bottom; a portrait is shown narrower.
TALLEST = 660


@dataclass(frozen=True, kw_only=True)
class Image:
    url: str
    alt: str = ""
    #: Pixels of the file itself; 0 when unknown.
    width: int = 0
    height: int = 0
    #: Bytes of the file; 0 when unknown.
    weight: int = 0

    @property
    def shown_width(self) -> int:
        """How many pixels wide it may stand in a mail: never enlarged, never higher than TALLEST; 0 when unknown.

        Where there is less room than that, it takes the room.
        """
        return min(self.width, self.width * TALLEST // self.height or 1) if self.height else self.width


@dataclass(frozen=True, kw_only=True)
class Brand:
    """What makes a mail look like its sender; whatever is left empty is the theme's own."""

    logo: Image | None = None
    #: #rgb or #rrggbb. Its shades are chosen so that everything in and on them can be read.
    accent: str = ""
    #: Font stacks as CSS has them, ending in a generic family: Georgia, serif.
    text_font: str = ""
    heading_font: str = ""
    #: Of corners, in pixels.
    radius: int | None = None


@dataclass(frozen=True, kw_only=True)
class PublicationContent:
    slug: str
    title: str
    tagline: str = ""
    language: str = "en"
    direction: Literal["ltr", "rtl"] = "ltr"
    from_name: str = ""
    from_email: str = ""
    reply_to: str = ""
    postal_address: str = ""
    website: str = ""
    #: An edition with fewer stories does not pass the checks.
    minimum_stories: int = 1
    brand: Brand = Brand()


@dataclass(frozen=True, kw_only=True)
class CallToAction:
    label: str
    #: Empty: shown as a paragraph, with the warning `cta.no_link`.
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Block:
    #: A UUID that stays when blocks are reordered; clicks and anchors refer to it.
    key: str
    #: Slug of the segment that sees the block; empty means everybody.
    audience: str = ""


@dataclass(frozen=True, kw_only=True)
class StoryBlock(Block):
    headline: str
    lede: str = ""
    body_html: str = ""
    image: Image | None = None
    source_name: str = ""
    source_url: str = ""
    #: BCP 47; empty where it is the publication's.
    language: str = ""
    #: Whether the public archive may show the story although it has an audience.
    public: bool = True


@dataclass(frozen=True, kw_only=True)
class SectionBlock(Block):
    """Opens a group of stories; shown only where something of its group is."""

    heading: str


@dataclass(frozen=True, kw_only=True)
class NoteBlock(Block):
    body_html: str


@dataclass(frozen=True, kw_only=True)
class SponsorBlock(Block):
    name: str
    body_html: str = ""
    url: str = ""
    image: Image | None = None


@dataclass(frozen=True, kw_only=True)
class ButtonBlock(Block):
    label: str
    url: str


@dataclass(frozen=True, kw_only=True)
class DividerBlock(Block):
    pass


@dataclass(frozen=True, kw_only=True)
class CorrectionBlock(Block):
    body_html: str


@dataclass(frozen=True, kw_only=True)
class EditionContent:
    publication: PublicationContent
    title: str
    subject: str
    number: int | None = None
    date: dt.date | None = None
    preheader: str = ""
    introduction_html: str = ""
    closing_heading: str = ""
    closing_html: str = ""
    call_to_action: CallToAction | None = None
    blocks: tuple[Block, ...] = ()
    #: Where the edition stands in the public archive; empty: no "view in browser" link.
    web_url: str = ""

    @property
    def stories(self) -> tuple[StoryBlock, ...]:
        return tuple(block for block in self.blocks if isinstance(block, StoryBlock))


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One distinct set of visible blocks and everybody who sees exactly that set."""

    content: EditionContent
    #: The sets of segments, out of `segments_used`, whose members see this; a reader in none is `frozenset()`.
    audiences: tuple[frozenset[str], ...]

    @property
    def empty(self) -> bool:
        """Without a story nothing is rendered or sent (the reader is excluded as `no_stories`)."""
        return not self.content.stories


class TooManySegmentsError(InputError, ValueError):
    """An edition names more segments than variants can be rendered for."""


def anchor(block: Block) -> str:
    """The block's fragment identifier, the same in every variant: `s-<key>`."""
    return f"s-{block.key}"


def numbered(content: EditionContent) -> Iterator[tuple[int, StoryBlock]]:
    """The stories with the numbers readers see: 1, 2, 3 … without gaps."""
    yield from enumerate(content.stories, start=1)


def segments_used(content: EditionContent) -> frozenset[str]:
    return frozenset(block.audience for block in content.blocks if block.audience)


def visible(content: EditionContent, segments: frozenset[str]) -> EditionContent:
    """What a reader in exactly these segments sees."""
    seen = [block for block in content.blocks if not block.audience or block.audience in segments]
    return replace(content, blocks=_without_empty_sections(seen))


def public(content: EditionContent) -> EditionContent:
    """What the archive may show: audience-limited stories only where they are marked public."""
    seen = [block for block in content.blocks if not block.audience or (isinstance(block, StoryBlock) and block.public)]
    return replace(content, blocks=_without_empty_sections(seen))


def variants(content: EditionContent) -> tuple[Variant, ...]:
    """Every distinct set of visible blocks once, the one for readers in no segment first.

    All sets without a story are one variant, which is `empty`. Raises TooManySegmentsError above MAX_SEGMENTS segments,
    since every one of them can double the number of variants.
    """
    segments = sorted(segments_used(content))
    if len(segments) > MAX_SEGMENTS:
        raise TooManySegmentsError(
            f"the edition's blocks name {len(segments)} segments ({', '.join(segments)}); "
            f"at most {MAX_SEGMENTS} can be used in one edition"
        )
    seen: dict[tuple[str, ...], tuple[EditionContent, list[frozenset[str]]]] = {}
    for size in range(len(segments) + 1):
        for subset in map(frozenset, combinations(segments, size)):
            shown = visible(content, subset)
            keys = tuple(block.key for block in shown.blocks) if shown.stories else ()
            seen.setdefault(keys, (shown, []))[1].append(subset)
    return tuple(Variant(content=shown, audiences=tuple(subsets)) for shown, subsets in seen.values())


def _without_empty_sections(blocks: list[Block]) -> tuple[Block, ...]:
    remaining: list[Block] = []
    for block, following in zip_longest(blocks, blocks[1:]):
        last_of_its_group = following is None or isinstance(following, SectionBlock)
        if not (isinstance(block, SectionBlock) and last_of_its_group):
            remaining.append(block)
    return tuple(remaining)
