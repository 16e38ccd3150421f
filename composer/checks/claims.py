"""What a story says and the stored text of its source does not: figures, dates, names, quoted passages."""

from collections.abc import Iterator

from composer.checks.context import CheckContext, Problem
from composer.claims.looking_up import Unsupported, unsupported
from composer.claims.source_changes import claims_of
from composer.content import StoryBlock

_CODES = {
    "figure": "claim.figure",
    "date": "claim.date",
    "name": "claim.name",
    "quotation": "claim.quotation",
}
_LONGEST = 160


def check(context: CheckContext) -> Iterator[Problem]:
    language = context.content.publication.language
    for where, block in context.blocks:
        source = context.facts.sources.get(block.key, "") if isinstance(block, StoryBlock) else ""
        if isinstance(block, StoryBlock) and source.strip():
            claims = claims_of(block.headline, block.lede, block.body_html)
            for missing in unsupported(claims, source, language):
                yield Problem(level="warning", code=_CODES[missing.kind], message=_message(missing), where=where)


def _message(missing: Unsupported) -> str:
    written = missing.written if missing.kind == "figure" else f"“{_short(missing.written)}”"
    if not missing.nearest:
        return f"{written} does not stand in the source; look it up"
    nearest = missing.nearest if missing.kind == "figure" else f"“{_short(missing.nearest)}”"
    return f"{written}: the source says {nearest}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
