from collections.abc import Callable, Iterator

from composer.checks import (
    call_to_action,
    document,
    footer,
    headings,
    images,
    link_text,
    links,
    merge_tags,
    placeholders,
    size,
    stories,
    subject,
    text_part,
)
from composer.checks.checked import Checked, Problem
from composer.content import EditionContent
from composer.rendering.result import Rendering

CHECKS: tuple[Callable[[Checked], Iterator[Problem]], ...] = (
    subject.check,
    stories.check,
    images.check,
    links.check,
    link_text.check,
    call_to_action.check,
    placeholders.check,
    merge_tags.check,
    headings.check,
    document.check,
    size.check,
    footer.check,
    text_part.check,
)


def check(content: EditionContent, rendering: Rendering) -> tuple[Problem, ...]:
    """Everything wrong with this content as rendered, errors first, each problem once. Works offline."""
    checked = Checked(content, rendering)
    found = dict.fromkeys(problem for one in CHECKS for problem in one(checked))
    return tuple(sorted(found, key=lambda problem: problem.level != "error"))
