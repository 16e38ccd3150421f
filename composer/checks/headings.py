from collections.abc import Iterator

from composer.checks.context import CheckContext, Problem


def check(context: CheckContext) -> Iterator[Problem]:
    """One h1, and no level skipped on the way down."""
    headings = context.page.xpath("//h1|//h2|//h3|//h4|//h5|//h6")
    levels = [int(heading.tag[1]) for heading in headings]
    if levels.count(1) != 1:
        message = f"the mail has {levels.count(1)} main headings (h1); it must have one"
        yield Problem(level="error", code="headings.h1", message=message)
    for before, after, heading in zip(levels, levels[1:], headings[1:], strict=False):
        if after > before + 1:
            shown = heading.text_content().strip()[:60]
            message = f"the heading “{shown}” skips a level (h{after} under h{before}); use the bigger heading"
            yield Problem(level="warning", code="headings.order", message=message)
    for heading in headings:
        if not heading.text_content().strip():
            message = f"an empty heading ({heading.tag}); write it or take it away"
            yield Problem(level="error", code="headings.empty", message=message)
