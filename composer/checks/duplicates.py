"""Two stories that lead to the same page: one of the links was probably pasted in the wrong place."""

import re
from collections.abc import Iterator
from html import unescape

from composer.checks.context import CheckContext, Problem
from composer.content import ButtonBlock, CallToAction, StoryBlock

_HREF = re.compile(r'<a\b[^>]*\bhref="([^"]*)"')


def check(context: CheckContext) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for where, block in context.blocks:
        for link in dict.fromkeys(links_of(block)):
            before = first.setdefault(same(link), where)
            if before != where:
                message = f"the link {link[:120]} is in {before} too; check which of them it belongs to"
                yield Problem(level="warning", code="link.duplicate", message=message, where=where)


def links_of(block: object) -> tuple[str, ...]:
    """The web addresses a story, a button or the call to action leads to."""
    match block:
        case StoryBlock():
            urls: list[str] = [block.source_url, *(unescape(link) for link in _HREF.findall(block.body_html))]
        case ButtonBlock() | CallToAction():
            urls = [block.url]
        case _:
            urls = []
    return tuple(link.strip() for link in urls if link.strip().lower().startswith(("http://", "https://")))


def same(link: str) -> str:
    """What two spellings of one address have in common."""
    return re.sub(r"^https?://(www\.)?", "", link.partition("#")[0], flags=re.IGNORECASE).rstrip("/").casefold()
