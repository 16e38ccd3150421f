"""Gmail clips a mail at about 102 KB of HTML, and the unsubscribe link with it."""

from collections.abc import Container, Iterator
from typing import Any

from lxml import html as lxml_html

from composer.checks.context import CheckContext, Problem
from composer.content import anchor

CLIPPED_AT = 102_000
WARN_AT = 85_000
REFUSE_AT = 98_000
#: What click tracking adds to a link, in bytes.
TRACKED_LINK = 300


def check(context: CheckContext) -> Iterator[Problem]:
    size = sent_size(context)
    if size > WARN_AT:
        message = (
            f"the HTML will have about {size / 1000:.0f} KB when links are tracked; "
            "Gmail clips at 102 KB: shorten or take a story out"
        )
        level = "error" if size > REFUSE_AT else "warning"
        yield Problem(level="error" if level == "error" else "warning", code="size.html", message=message)


def sent_size(context: CheckContext) -> int:
    """Bytes of HTML with the growth of tracked links."""
    return len(context.rendering.html.encode()) + TRACKED_LINK * _tracked_links(context.page)


def story_sizes(context: CheckContext) -> dict[str, int]:
    """Key of each story that is shown → bytes of its part of the HTML, with the growth of its tracked links."""
    anchors = {anchor(story): story.key for story in context.content.stories}
    found = {element.get("id"): element for element in context.page.xpath("//*[@id]") if element.get("id") in anchors}
    return {anchors[name]: _size(_part(element, anchors)) for name, element in found.items()}


def _part(element: Any, anchors: Container[str]) -> Any:
    """The largest element around a story's anchor that holds no other story."""
    while (parent := element.getparent()) is not None:
        if parent.tag == "body" or sum(inner in anchors for inner in parent.xpath(".//@id")) > 1:
            break
        element = parent
    return element


def _size(element: Any) -> int:
    return len(lxml_html.tostring(element, encoding="utf-8", with_tail=False)) + TRACKED_LINK * _tracked_links(element)


def _tracked_links(element: Any) -> int:
    return int(element.xpath("count(.//a[starts-with(@href, 'http') and not(@clicktracking)])"))
