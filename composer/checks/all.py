from collections.abc import Callable, Iterator

from composer.checks import (
    call_to_action,
    claims,
    client_support,
    contrast,
    document,
    duplicates,
    footer,
    headings,
    images,
    language,
    last_time,
    link_reports,
    link_text,
    links,
    merge_tags,
    months,
    names,
    placeholders,
    size,
    source_changes,
    spam,
    standing_matter,
    stories,
    story_counts,
    subject,
    text_part,
)
from composer.checks.context import CheckContext, Problem
from composer.checks.external_facts import ExternalFacts
from composer.content import EditionContent
from composer.rendering.result import Rendering

CHECKS: tuple[Callable[[CheckContext], Iterator[Problem]], ...] = (
    subject.check,
    stories.check,
    story_counts.check,
    standing_matter.check,
    images.check,
    links.check,
    duplicates.check,
    link_reports.check,
    link_text.check,
    call_to_action.check,
    placeholders.check,
    merge_tags.check,
    names.check,
    months.check,
    last_time.check,
    headings.check,
    document.check,
    language.check,
    contrast.check,
    client_support.check,
    size.check,
    footer.check,
    text_part.check,
    claims.check,
    source_changes.check,
    spam.check,
)
NO_FACTS = ExternalFacts()


def check(content: EditionContent, rendering: Rendering, facts: ExternalFacts = NO_FACTS) -> tuple[Problem, ...]:
    """Everything wrong with this content as rendered, errors first, each problem once. Works offline.

    What only the outside can tell (what links lead to, what ran before) is in `facts`; without it nothing is said of it.
    """
    context = CheckContext(content, rendering, facts)
    problems = dict.fromkeys(problem for one in CHECKS for problem in one(context))
    return tuple(sorted(problems, key=lambda problem: problem.level != "error"))
