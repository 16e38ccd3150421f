"""What a story says and the stored text of its source does not: figures, dates, names, quoted passages."""

import re
from collections.abc import Iterator
from html import unescape

from composer.checks.context import CheckContext, Problem
from composer.claims.looking_up import Claim, Unsupported, unsupported
from composer.content import StoryBlock

_CODES = {
    "figure": "claim.figure",
    "date": "claim.date",
    "name": "claim.name",
    "quotation": "claim.quotation",
}
_TAG = re.compile(r"<[^>]*>")
_MERGE_TAG = re.compile(r"\{\{[^{}]*\}\}")
_LONGEST = 160


def check(context: CheckContext) -> Iterator[Problem]:
    language = context.content.publication.language
    for where, block in context.blocks:
        source = context.facts.sources.get(block.key, "") if isinstance(block, StoryBlock) else ""
        if isinstance(block, StoryBlock) and source.strip():
            body = unescape(_TAG.sub(" ", block.body_html))
            claims = [Claim(block.headline, is_headline=True), Claim(block.lede), Claim(body)]
            plain = [Claim(_MERGE_TAG.sub(" ", claim.text), is_headline=claim.is_headline) for claim in claims]
            for missing in unsupported(plain, source, language):
                yield Problem(level="warning", code=_CODES[missing.kind], message=_message(missing), where=where)


def _message(missing: Unsupported) -> str:
    written = missing.written if missing.kind == "figure" else f"“{_short(missing.written)}”"
    if not missing.nearest:
        return f"{written} does not stand in the source; look it up"
    nearest = missing.nearest if missing.kind == "figure" else f"“{_short(missing.nearest)}”"
    return f"{written}: the source says {nearest}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
