"""A pasted digest (title, introduction, numbered stories, closing, call to action) read into plain data.

The form is what newsletter pages copy out as text:

    Title
    Introduction …
    1. Headline
    Lede …
    Paragraphs …
    Wrapping Up
    Closing …
    To delve deeper …, read the report: https://…

Nothing but page furniture (`top of page`, `Writer's picture…`, `Comments`, `bottom of page`) is ever dropped. What
could be read in two ways is refused with the line and what to do.
"""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from composer.content import CallToAction, EditionContent, PublicationContent, StoryBlock
from composer.digests.decoding import decode
from composer.digests.errors import DigestError
from composer.digests.numbering import find_headlines, headline_of, looks_like_a_heading, unescaped
from composer.digests.paragraphs import Paragraph, paragraphs
from composer.preheader import preheader_of
from composer.sanitising import paragraphs_to_html

__all__ = ["Digest", "DigestError", "DigestStory", "content", "parse"]

_CLOSING = re.compile(
    r"(?:wrapping (?:it |things )?up|(?:the )?wrap[- ]?up|(?:in |the |our )?(?:conclusion|closing)s?|final thoughts"
    r"|closing (?:thoughts|words|remarks|notes?)|to sum up|in (?:summary|short)|summing up|that[’']s (?:all|a wrap|it).*"
    r"|before (?:you|we) go|until next (?:week|time|month)|parting (?:thoughts|words|shots?)|one last thing)[.!:]?",
    re.IGNORECASE,
)
_URL = re.compile(r"https?://[^\s<>\"“”]+[^\s<>\"“”.,;:!?)\]'’]")
_ASKS = re.compile(
    r"\b(?:click here|delve deeper|read (?:more|the full)|find out more|learn more|sign up|register|subscribe|download)\b",
    re.IGNORECASE,
)
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://newsdesk.invalid/digest-story")


@dataclass(frozen=True, kw_only=True)
class DigestStory:
    number: int
    headline: str
    #: The first paragraph.
    lede: str
    #: The others, in order.
    paragraphs: tuple[str, ...]
    #: Indices of those paragraphs that are small headings.
    subheadings: tuple[int, ...]
    #: Where the headline stands, counted from 1.
    line: int

    @property
    def body_html(self) -> str:
        """The paragraphs behind the lede as rich text."""
        return "".join(
            paragraphs_to_html([text]).replace("<p>", "<h3>").replace("</p>", "</h3>")
            if index in self.subheadings
            else paragraphs_to_html([text])
            for index, text in enumerate(self.paragraphs)
        )


@dataclass(frozen=True, kw_only=True)
class DigestCall:
    #: The whole sentence, without its URL.
    text: str
    url: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Digest:
    title: str
    introduction: tuple[str, ...]
    stories: tuple[DigestStory, ...]
    closing_heading: str
    closing: tuple[str, ...]
    call_to_action: DigestCall | None
    #: What was decided in doubt, each with its line; for the editor to look at.
    warnings: tuple[str, ...]


def parse(raw: bytes | str) -> Digest:
    """Read a digest. Raises DigestError where it cannot be read without guessing or losing text."""
    text, decoding_warnings = decode(raw)
    found = paragraphs(text)
    if not found:
        raise DigestError(1, "the file is empty; a digest has a title and numbered stories")
    numbering = find_headlines(found)
    if not numbering.headlines:
        raise DigestError(found[0].line, "no stories found; number each headline, as in “1. Headline”")
    if numbering.headlines[0] == 0:
        raise DigestError(found[0].line, "no title; write it on a line of its own above the first story")
    closing = _closing_starts(found, numbering.headlines[-1])
    ends = [*numbering.headlines[1:], closing]
    parts = [found[start:end] for start, end in zip(numbering.headlines, ends, strict=True)]
    stories = tuple(_story(number, part) for number, part in enumerate(parts, start=1))
    heading, closing_paragraphs, call = _closing(found[closing:])
    return Digest(
        title=unescaped(found[0].text),
        introduction=tuple(unescaped(paragraph.text) for paragraph in found[1 : numbering.headlines[0]]),
        stories=stories,
        closing_heading=heading,
        closing=closing_paragraphs,
        call_to_action=call,
        warnings=(*decoding_warnings, *numbering.warnings, *_small_headings(stories, parts)),
    )


def content(
    digest: Digest, publication: PublicationContent, *, subject: str = "", number: int | None = None
) -> EditionContent:
    """The digest as an edition of the publication. Story keys depend on number and headline only, so they repeat."""
    call = digest.call_to_action
    return EditionContent(
        publication=publication,
        number=number,
        title=digest.title,
        subject=subject or digest.title,
        preheader=preheader_of([story.headline for story in digest.stories]),
        introduction_html=paragraphs_to_html(digest.introduction),
        closing_heading=digest.closing_heading,
        closing_html=paragraphs_to_html(digest.closing),
        call_to_action=CallToAction(label=call.text, url=call.url) if call else None,
        blocks=tuple(
            StoryBlock(
                key=str(uuid.uuid5(_NAMESPACE, f"{story.number} {story.headline}")),
                headline=story.headline,
                lede=story.lede,
                body_html=story.body_html,
            )
            for story in digest.stories
        ),
    )


def _story(number: int, part: list[Paragraph]) -> DigestStory:
    headline, body = part[0], part[1:]
    if not body:
        raise DigestError(headline.line, f"story {number} has no text; write at least one paragraph under its headline")
    texts = [unescaped(paragraph.text) for paragraph in body]
    return DigestStory(
        number=number,
        headline=headline_of(headline),
        lede=texts[0],
        paragraphs=tuple(texts[1:]),
        subheadings=tuple(index for index, text in enumerate(texts[1:-1]) if looks_like_a_heading(text)),
        line=headline.line,
    )


def _small_headings(stories: tuple[DigestStory, ...], parts: list[list[Paragraph]]) -> Iterator[str]:
    """A headline that lost its number reads like a small heading: somebody should look."""
    for story, part in zip(stories, parts, strict=True):
        for index in story.subheadings:
            heading = part[index + 2]
            yield (
                f"line {heading.line}: “{heading.text}” was read as a small heading inside story {story.number}; "
                "number it if it is a headline"
            )


def _closing_starts(found: list[Paragraph], last_headline: int) -> int:
    """Where the closing section begins, behind at least one paragraph of the last story; the end if there is none."""
    after = range(last_headline + 2, len(found))
    known = [index for index in after if _CLOSING.fullmatch(found[index].text)]
    if known:
        return known[-1]
    headings = [index for index in after[:-1] if looks_like_a_heading(found[index].text)]
    # An unknown heading in the last story opens the closing section only if that section asks for something.
    return headings[-1] if headings and _ASKS.search(found[-1].text) else len(found)


def _closing(part: list[Paragraph]) -> tuple[str, tuple[str, ...], DigestCall | None]:
    if not part:
        return "", (), None
    heading, rest = part[0].text, part[1:]
    call = _call(rest[-1]) if rest else None
    if call:
        rest = rest[:-1]
    return heading, tuple(unescaped(paragraph.text) for paragraph in rest), call


def _call(last: Paragraph) -> DigestCall | None:
    urls = _URL.findall(last.text)
    if len(urls) > 1 or not (urls or _ASKS.search(last.text)):
        return None
    text = re.sub(r"[\s:–—(\[<-]+[)\]>]*\.?$", "", _URL.sub("", last.text)) if urls else last.text
    return DigestCall(text=text, url=urls[0] if urls else "", line=last.line)
