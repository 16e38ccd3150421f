"""What is written is in the publication's language: the mail says so to screen readers, translators and hyphenation."""

from collections.abc import Iterator

from composer.checks.context import CheckContext, Problem
from composer.content import StoryBlock
from composer.reading.languages import ENOUGH_TEXT, is_another_language, language_of
from composer.rendering.strings import language_name


def check(context: CheckContext) -> Iterator[Problem]:
    expected = context.content.publication.language
    stories = {where: block for where, block in context.blocks if isinstance(block, StoryBlock)}
    found = {where: _language_of_story(context, where) for where in stories}
    foreign = [language for language in found.values() if is_another_language(language, expected)]
    if foreign and len(foreign) == sum(1 for language in found.values() if language):
        language = foreign[0]
        message = (
            f"the text is {language_name(language)}, the publication {language_name(expected)}: set the publication's language,"
            " which screen readers and the mail's own words go by"
        )
        yield Problem(level="warning", code="language.other", message=message)
        return
    for where, language in found.items():
        said = stories[where].language
        if not is_another_language(language, said or expected):
            continue
        message = (
            f"it is {language_name(language)}, but its language says {language_name(said)}"
            if said
            else f"it is {language_name(language)}, the publication {language_name(expected)}; if it is meant to be, set the story's "
            f"language to {language}, so that screen readers say it right"
        )
        yield Problem(level="warning", code="language.story", message=message, where=where)
    for where, block in stories.items():
        if block.language and language_name(block.language) == block.language:
            message = f"“{block.language}” is no language: write a tag such as ar or zh-Hans, or leave it empty"
            yield Problem(level="warning", code="language.unknown", message=message, where=where)


def _language_of_story(context: CheckContext, where: str) -> str:
    text = " ".join(one.text for one in context.texts if one.where == where and one.kind in {"text", "html"})
    return language_of(text) if len(text) >= ENOUGH_TEXT else ""
