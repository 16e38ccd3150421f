"""An editor's theme put to the test: its files looked through, then one of everything rendered with it.

The first finds faults by line, and no theme is used with one of them (`composer.rendering.themes`). The second finds
what only shows in the result: blocks the theme forgets, texts too faint to read, and whatever the checks of an edition
would complain about every week.
"""

from collections.abc import Iterator
from pathlib import Path

from lxml import html as lxml_html

from composer.checks import check
from composer.content import EditionContent
from composer.contrast import faint
from composer.rendering import FaultyThemeError, Rendering, RenderingError
from composer.rendering.errors import Fault
from composer.rendering.pipeline import render_with
from composer.rendering.themes import open_folder
from composer.rendering.themes.folder import DOCUMENT
from composer.specimen import specimen

#: What a reader must find, whatever the theme: a piece of every block, and what the law asks for.
_SPECIMEN_TEXTS = {
    "the edition's title": "A quieter quay, and trams at night",
    "the introduction": "The city takes a street back this week",
    "a story's headline": "Night trams start on three lines",
    "a story's lede": "The last tram leaves at two",
    "a story's body": "The trial costs less than feared",
    "a story's source": "Institute for Applied Geography",
    "a section's heading": "Science",
    "the sponsor's name": "Ellery Bicycles",
    "the sponsor's words": "Repairs while you wait",
    "a note": "next week we come on Thursday",
    "a button": "See all our events",
    "a correction": "The bridge opened in 1931",
    "the closing's heading": "Until next week",
    "the closing": "even what is in capitals",
    "the call to action": "Read the full budget",
    "the postal address": "4 Quay Street",
}


def faults(folder: Path) -> tuple[Fault, ...]:
    """Everything wrong with the theme in this folder, each once. Raises OSError where it cannot be read."""
    results: dict[Fault, None] = {}
    for direction in ("ltr", "rtl"):
        for images in (True, False):
            content = specimen(
                direction="rtl" if direction == "rtl" else "ltr",
                language="ar" if direction == "rtl" else "en",
                images=images,
            )
            try:
                rendering = render_with(open_folder(folder, direction), content)
            except FaultyThemeError as error:
                return error.faults
            except RenderingError as error:
                return (Fault(file=DOCUMENT, message=str(error)),)
            results |= dict.fromkeys(_seen(content, rendering))
    return tuple(results)


def _seen(content: EditionContent, rendering: Rendering) -> Iterator[Fault]:
    page = lxml_html.document_fromstring(rendering.html.encode(), parser=lxml_html.HTMLParser(encoding="utf-8"))
    text = " ".join(page.xpath("string(/html/body)").split())
    for what, words in _SPECIMEN_TEXTS.items():
        if words not in text:
            yield Fault(file=DOCUMENT, message=f"{what} is not shown")
    for block in content.stories:
        if block.image and not page.xpath("//img[@src=$url]", url=block.image.url):
            yield Fault(file=DOCUMENT, message="a story's image is not shown")
        if not page.xpath("//*[@id=$id]", id=f"s-{block.key}"):
            yield Fault(file=DOCUMENT, message='a story\'s heading lacks its anchor: id="{{ entry.anchor }}"')
    for problem in check(content, rendering):
        if problem.code.startswith("language."):
            continue  # the specimen is in English whichever way it runs
        yield Fault(file=DOCUMENT, message=f"{problem.message} [{problem.code}]")
    for unreadable in faint(rendering.html):
        file = "dark.css" if unreadable.scheme == "dark" else "inline.css"
        message = (
            f"text in {unreadable.colour} on {unreadable.ground} has contrast {unreadable.ratio:.1f}:1, and needs 4.5:1"
        )
        yield Fault(file=file, message=f"{message} (“{unreadable.text[:40]}”)")
