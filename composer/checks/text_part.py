"""The plain text says everything the HTML says: all texts, and where all links lead."""

import re
from collections.abc import Iterator

from composer.checks.context import CheckContext, Problem, Text
from composer.entities import unescape
from composer.merge_tags import translate
from composer.sanitising import printable, rich_text

_TAG = re.compile(r"<[^>]*>")
_FOOTNOTE = re.compile(r"\[\d+\]")
_NOT_SHOWN = {"subject", "preheader"}


def check(context: CheckContext) -> Iterator[Problem]:
    if not context.rendering.text.strip():
        yield Problem(level="error", code="text.empty", message="the mail has no text part; render it again")
        return
    # Compared by letters and digits alone: lines are broken anywhere in Chinese, quotes are marked, headings are capitals.
    letters = _letters(context.rendering.text)
    for text in context.texts:
        if text.kind not in {"text", "html"} or text.where in _NOT_SHOWN:
            continue
        missing = next((run for run in _runs(text) if _letters(run) not in letters), None)
        if missing is not None:
            message = f"“{' '.join(missing.split())[:60]}” is missing from the plain text"
            yield Problem(level="error", code="text.incomplete", message=message, where=text.where)
    unbroken = "".join(context.rendering.text.split())
    for link in dict.fromkeys(context.page.xpath("//a/@href")):
        if not link.startswith("#") and link.removeprefix("mailto:") not in unbroken:
            message = f"the plain text does not say where {link[:120]} leads"
            yield Problem(level="warning", code="text.no_link", message=message)


def _runs(text: Text) -> Iterator[str]:
    """The texts between tags: the numbers of links and the marks of lists stand between runs only."""
    html = text.kind == "html"
    for piece in map(unescape, _TAG.split(rich_text(text.source))) if html else (text.source,):
        yield translate(printable(piece), "text")[0]


def _letters(text: str) -> str:
    # By way of capitals, since headings are written in them: Turkish has two letters that share one.
    return "".join(character for character in _FOOTNOTE.sub("", text).upper().casefold() if character.isalnum())
