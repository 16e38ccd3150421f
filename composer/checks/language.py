"""What is written is in the publication's language: the mail says so to screen readers, translators and hyphenation."""

from collections.abc import Iterator

from composer.checks.context import CheckContext, Problem
from composer.content import StoryBlock
from composer.reading.languages import is_another_language, language_of
from composer.rendering.strings import language_name

#: Characters of a story below which a quotation or a name decides.
_ENOUGH = 200


def check(context: CheckContext) -> Iterator[Problem]:
    expected = context.content.publication.language
    of_story = {}
    for where, block in context.blocks:
        if isinstance(block, StoryBlock):
            text = " ".join(one.text for one in context.texts if one.where == where and one.kind in {"text", "html"})
            of_story[where] = language_of(text) if len(text) >= _ENOUGH else ""
    others = {where: found for where, found in of_story.items() if is_another_language(found, expected)}
    if others and len(others) == sum(1 for found in of_story.values() if found):
        (found, *_) = others.values()
        message = (
            f"the text is {language_name(found)}, the publication {language_name(expected)}: set the publication's language,"
            " which screen readers and the mail's own words go by"
        )
        yield Problem(level="warning", code="language.other", message=message)
        return
    for where, found in others.items():
        message = f"it is {language_name(found)}, the publication {language_name(expected)}; is it meant to be?"
        yield Problem(level="warning", code="language.story", message=message, where=where)
