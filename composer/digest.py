"""A pasted digest (title, introduction, stories, closing, call to action) read into plain data.

The form is what newsletter pages copy out as text, Markdown, HTML, a Word file or a mail:

    Title
    Introduction …
    1. Headline
    Lede …
    Paragraphs …
    Wrapping Up
    Closing …
    To delve deeper …, read the report: https://…

`composer.reading` does it in two steps: bytes become a document of typed blocks with line numbers, whatever the format; one interpreter
makes a digest of it. Every line is in the digest, in its report as dropped with the reason, or the digest is refused by line.
"""

import uuid

from composer.content import Block, CallToAction, EditionContent, PublicationContent, SectionBlock, StoryBlock
from composer.preheader import preheader_of
from composer.reading.decisions import NO_DECISIONS, Decisions
from composer.reading.errors import DigestError
from composer.reading.interpreting import interpret
from composer.reading.reader import read
from composer.reading.result import Digest, DigestStory

__all__ = ["Digest", "DigestError", "DigestStory", "content", "parse"]

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://newsdesk.invalid/digest-story")


def parse(raw: bytes | str, *, encoding: str = "", decisions: Decisions = NO_DECISIONS) -> Digest:
    """Read a digest. Raises DigestError where it cannot be read without guessing or losing text.

    `encoding`: as Python names it; empty where the bytes shall tell it. `decisions`: lines that a person has settled.
    """
    document, used = read(raw, encoding=encoding)
    return interpret(document, used, decisions)


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
        introduction_html=digest.introduction_html,
        closing_heading=digest.closing_heading,
        closing_html=digest.closing_html,
        call_to_action=CallToAction(label=call.text, url=call.url) if call else None,
        blocks=tuple(_blocks(digest)),
    )


def _blocks(digest: Digest) -> list[Block]:
    sections = {section.before: section for section in digest.sections}
    blocks: list[Block] = []
    for story in digest.stories:
        if story.number in sections:
            heading = sections[story.number].heading
            blocks.append(
                SectionBlock(key=str(uuid.uuid5(_NAMESPACE, f"section {story.number} {heading}")), heading=heading)
            )
        blocks.append(
            StoryBlock(
                key=str(uuid.uuid5(_NAMESPACE, f"{story.number} {story.headline}")),
                headline=story.headline,
                lede=story.lede,
                body_html=story.body_html,
                source_name=story.source_name,
                source_url=story.source_url,
            )
        )
    return blocks
