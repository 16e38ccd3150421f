from collections.abc import Iterator

from composer.checks.context import CheckContext, Problem
from composer.content import ButtonBlock


def check(context: CheckContext) -> Iterator[Problem]:
    """What asks for a click leads somewhere."""
    call = context.content.call_to_action
    if call and not call.url.strip():
        message = "the call to action has no link and is shown as a paragraph; give it a URL"
        yield Problem(level="warning", code="cta.no_link", message=message, where="call to action")
    if call and not call.label.strip():
        message = "the call to action has no text; say what the reader finds there"
        yield Problem(level="error", code="cta.no_label", message=message, where="call to action")
    for where, block in context.blocks:
        if isinstance(block, ButtonBlock) and not (block.label.strip() and block.url.strip()):
            message = "a button needs a text and a URL"
            yield Problem(level="error", code="button.incomplete", message=message, where=where)
