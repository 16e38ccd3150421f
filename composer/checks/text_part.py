from collections.abc import Iterator

from composer.checks.checked import Checked, Problem
from composer.rendering.pipeline import one_line


def check(checked: Checked) -> Iterator[Problem]:
    """The plain text says everything: every headline is in it."""
    # Compared without spaces, since lines are broken anywhere in Chinese and within very long words.
    text = "".join(checked.rendering.text.split())
    for number, story in enumerate(checked.content.stories, start=1):
        if "".join(one_line(story.headline).split()) not in text:
            message = "the headline is missing from the plain text"
            yield Problem(level="error", code="text.incomplete", message=message, where=f"story {number}")
