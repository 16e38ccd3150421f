"""What stayed as it was in the edition before, and stories that ran already."""

from collections.abc import Iterator

from composer.canonical_url import canonical_url
from composer.checks.context import CheckContext, Problem
from composer.checks.duplicates import links_of
from composer.content import EditionContent, StoryBlock


def check(context: CheckContext) -> Iterator[Problem]:
    history, content = context.facts.history, context.content
    for where, block in context.blocks:
        if isinstance(block, StoryBlock) and block.key in history.ran:
            message = f"it already ran in No. {history.ran[block.key]}; take it out, or say what is new"
            yield Problem(level="warning", code="story.ran_before", message=message, where=where)
        elif isinstance(block, StoryBlock) and block.key in history.told:
            message = f"it seems to tell what ran in {history.told[block.key]}; take it out, or say what is new"
            yield Problem(level="warning", code="story.told_before", message=message, where=where)
    if history.last is not None:
        yield from _unchanged(context, content, history.last)


def _unchanged(context: CheckContext, content: EditionContent, last: EditionContent) -> Iterator[Problem]:
    number = f"No. {last.number}" if last.number else "the edition before"
    if content.subject.strip() and _plain(content.subject) == _plain(last.subject):
        message = f"the subject is the one of {number}; say what is new this time"
        yield Problem(level="warning", code="subject.same_as_last", message=message, where="subject")
    before = {canonical_url(link) for block in last.stories for link in links_of(block)}
    for where, block in context.blocks:
        if isinstance(block, StoryBlock):
            for link in dict.fromkeys(links_of(block)):
                if canonical_url(link) in before:
                    message = f"the link {link[:120]} was in {number} already; is it the right one?"
                    yield Problem(level="warning", code="link.same_as_last", message=message, where=where)
    call, call_before = content.call_to_action, last.call_to_action
    if (
        call
        and call_before
        and call.url.strip()
        and canonical_url(call.url.strip()) == canonical_url(call_before.url.strip())
    ):
        message = f"the call to action leads to the same page as in {number}; is there a newer one?"
        yield Problem(level="warning", code="cta.same_as_last", message=message, where="call to action")


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
