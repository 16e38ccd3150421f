"""Two stories that lead to the same page, where a link was probably pasted in the wrong place, or tell the same news."""

import re
from collections.abc import Iterator

from composer.canonical_url import canonical_url
from composer.checks.context import CheckContext, Problem
from composer.content import ButtonBlock, CallToAction, StoryBlock
from composer.entities import unescape
from composer.same_story.comparing import compare
from composer.same_story.features import words

_HREF = re.compile(r'<a\b[^>]*\bhref="([^"]*)"')


def check(context: CheckContext) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for where, block in context.blocks:
        for link in dict.fromkeys(links_of(block)):
            before = first.setdefault(canonical_url(link), where)
            if before != where:
                message = f"the link {link[:120]} is in {before} too; check which of them it belongs to"
                yield Problem(level="warning", code="link.duplicate", message=message, where=where)

    yield from _same_news(context)


def _same_news(context: CheckContext) -> Iterator[Problem]:
    stories = [
        (where, block.key, words(block.headline, block.lede, block.body_html))
        for where, block in context.blocks
        if isinstance(block, StoryBlock)
    ]
    for at, (where, key, told) in enumerate(stories):
        for where_before, key_before, before in stories[:at]:
            if told.folded_headline == before.folded_headline:
                continue  # story.repeated says so
            similarity = context.facts.similarity.get(frozenset({key, key_before}))
            if compare(told, before, similarity=similarity).is_same:
                message = f"it seems to tell the same news as {where_before}; keep one, or say what each has for itself"
                yield Problem(level="warning", code="story.same_news", message=message, where=where)
                break


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
