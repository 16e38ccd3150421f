"""What had changed in the stories' sources when they were fetched again, shortly before the edition's time.

A change is named as long as the story still says what it is about: mending the figure or the source's URL settles it.
"""

from collections.abc import Iterator

from composer.checks.context import CheckContext, Problem
from composer.claims.source_changes import SourceChange, claims_of
from composer.content import StoryBlock

_CODES = {
    "gone": "source.gone",
    "headline": "source.headline",
    "figure": "source.figure",
    "not_compared": "source.not_compared",
}
_ADVICE = {
    "gone": "see whether the story still stands",
    "headline": "read it again",
    "figure": "read it again",
    "not_compared": "look at it yourself",
}
_LONGEST = 160


def check(context: CheckContext) -> Iterator[Problem]:
    for where, block in context.blocks:
        if isinstance(block, StoryBlock):
            for change in context.facts.source_changes.get(block.key, ()):
                if _still_matters(change, block):
                    message = f"{what_changed(change)}; {_ADVICE[change.kind]}"
                    yield Problem(level="warning", code=_CODES[change.kind], message=message, where=where)


def what_changed(change: SourceChange) -> str:
    """In words, without saying in which story and what to do."""
    before, now = _short(change.before), _short(change.now)
    match change.kind:
        case "gone":
            return f"the source is gone ({now})"
        case "headline":
            return f"the source's headline was “{before}” and is now “{now}”"
        case "figure":
            return f"{before} no longer stands in the source" + (f": the nearest there is {now}" if now else "")
        case "not_compared":
            return f"the source could not be compared again ({now})"


def _still_matters(change: SourceChange, block: StoryBlock) -> bool:
    if change.url != block.source_url:
        return False
    texts = claims_of(block.headline, block.lede, block.body_html)
    return change.kind != "figure" or any(change.before in claim.text for claim in texts)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
