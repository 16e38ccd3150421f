"""Text that was meant to be replaced."""

import re
from collections.abc import Iterator

from composer.checks.context import CheckContext, Problem

_LOREM = re.compile(
    r"\b(?:lorem|dolor sit amet)\b"
    r"|\[(?:insert|add|your|link|url|image|photo|picture|headline|title|date|name|text|tbc|tbd|tk)\b[^\]]{0,40}\]",
    re.IGNORECASE,
)
_NOTES = re.compile(r"\b(?:TODO|FIXME|TBD|TBC|TK TK|TKTK|XXX+)\b")
#: “TODO” is a word in these languages.
_TODO_IS_A_WORD = {"es", "pt", "gl"}


def check(context: CheckContext) -> Iterator[Problem]:
    language = context.content.publication.language.lower()[:2]
    for text in context.texts:
        match = _LOREM.search(text.text)
        if not match and language not in _TODO_IS_A_WORD:
            match = _NOTES.search(text.text)
        if match:
            message = f"“{match[0]}” looks like a placeholder; replace it"
            yield Problem(level="error", code="placeholder.text", message=message, where=text.where)
