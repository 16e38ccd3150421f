"""What a mail that was sent to a publication holds: the stories of a numbered digest, else one story."""

import email.utils
from collections.abc import Sequence
from dataclasses import replace

from composer.reading import phrases
from composer.reading.characters import clean, cut
from composer.reading.counting import MAX_HEADLINE
from composer.reading.document import Block, Document, Dropped, Image, Paragraph, Rule
from composer.reading.errors import DigestError
from composer.reading.headlines import unescaped
from composer.reading.interpreting import interpret
from composer.reading.languages import direction_of, language_of
from composer.reading.mail import Mail, document_of
from composer.reading.result import Digest, DigestStory, Report, split_lede
from composer.reading.story_source import without_source
from composer.sanitising import printable

_LONGEST_NAME = 120
_FROM = {"from", "von", "de"}


def stories_of(mail: Mail) -> Digest:
    """Raises DigestError where the mail has no text, or too much."""
    document = document_of(mail)
    try:
        digest = interpret(document, mail.charset)
    except DigestError:
        return _one_story(mail, document)
    return digest if _is_sure(digest) else _one_story(mail, document)


def _is_sure(digest: Digest) -> bool:
    """Headings and short lists are in press releases too: only numbers with text below them make several stories."""
    with_text = sum(bool(story.lede or story.body) for story in digest.stories)
    return digest.is_numbered and len(digest.stories) > 1 and with_text == len(digest.stories)


def _one_story(mail: Mail, document: Document) -> Digest:
    dropped = list(document.dropped)
    blocks, sender = _forwarded(document.blocks, dropped)
    kept = []
    for block in blocks:
        reason = phrases.furniture(block.text)
        if isinstance(block, Rule):
            reason = "a line across the page"
        elif isinstance(block, Image):
            reason = "an image: add it at the desk"
        if reason:
            dropped.append(Dropped(line=block.line, text=cut(block.text), reason=reason))
        else:
            kept.append(block)
    kept, source = without_source(kept)
    if not kept:
        raise DigestError(1, "the mail has no text")
    text = " ".join(block.text for block in kept)
    sender = source.name or sender or mail.name or (mail.addresses[0].rpartition("@")[2] if mail.addresses else "")
    headline = cut(document.title or unescaped(kept[0].text), MAX_HEADLINE)
    return Digest(
        title=headline,
        introduction_blocks=(),
        stories=(_story(headline, kept, cut(printable(sender), _LONGEST_NAME), source.url),),
        sections=(),
        closing_heading="",
        closing_blocks=(),
        call_to_action=None,
        report=Report(
            format=document.format,
            encoding=mail.charset,
            language=language_of(text),
            direction=direction_of(text),
            stories=1,
            sections=0,
            dropped=tuple(dropped),
            doubts=document.doubts,
        ),
    )


def _story(headline: str, blocks: Sequence[Block], source_name: str, source_url: str) -> DigestStory:
    lede, body = split_lede(blocks)
    return DigestStory(
        number=1,
        headline=printable(headline),
        lede=printable(lede),
        body=body,
        line=1,
        source_name=source_name,
        source_url=source_url,
    )


def _forwarded(blocks: Sequence[Block], dropped: list[Dropped]) -> tuple[Sequence[Block], str]:
    """What stands below the header that mail programs put above a forwarded mail, and who wrote that mail."""
    headers = [phrases.MAIL_HEADER.fullmatch(block.text) for block in blocks]
    for start, header in enumerate(headers[:-1]):
        if header is None or header["name"].casefold() not in _FROM or headers[start + 1] is None:
            continue
        end = next((index for index in range(start, len(blocks)) if headers[index] is None), len(blocks))
        dropped += [
            Dropped(line=block.line, text=cut(block.text), reason="above the forwarded mail") for block in blocks[:end]
        ]
        name, address = email.utils.parseaddr(header["value"])
        return _unquoted(blocks[end:]), clean(name) or address.rpartition("@")[2]
    return blocks, ""


def _unquoted(blocks: Sequence[Block]) -> Sequence[Block]:
    """Some mail programs set the whole of a forwarded mail as a quotation."""
    paragraphs = [block for block in blocks if isinstance(block, Paragraph)]
    if not all(block.quote for block in paragraphs):
        return blocks
    return [replace(block, quote=False) if isinstance(block, Paragraph) else block for block in blocks]
