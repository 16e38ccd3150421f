"""Every story is complete, and there are enough of them."""

from collections.abc import Iterator

from composer.checks.context import CheckContext, Problem
from composer.content import SectionBlock, StoryBlock


def check(context: CheckContext) -> Iterator[Problem]:
    stories = context.content.stories
    minimum = context.content.publication.minimum_stories
    if len(stories) < minimum:
        yield Problem(
            level="error",
            code="stories.too_few",
            message=f"{len(stories)} of at least {minimum} stories; add more, or lower the publication's minimum",
        )
    first: dict[str, str] = {}
    for where, block in context.blocks:
        if isinstance(block, SectionBlock) and not block.heading.strip():
            yield Problem(level="error", code="section.no_heading", message="a section without a heading", where=where)
        if not isinstance(block, StoryBlock):
            continue
        yield from _complete(where, block)
        headline = " ".join(block.headline.casefold().split())
        if headline and first.setdefault(headline, where) != where:
            yield Problem(
                level="warning", code="story.repeated", message=f"the same headline as {first[headline]}", where=where
            )


def _complete(where: str, story: StoryBlock) -> Iterator[Problem]:
    if not story.headline.strip():
        yield Problem(level="error", code="story.no_headline", message="the story has no headline", where=where)
    if not (story.lede.strip() or story.body_html.strip()):
        yield Problem(level="error", code="story.no_text", message="the story has neither lede nor text", where=where)
