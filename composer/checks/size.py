"""Gmail clips a mail at about 102 KB of HTML, and the unsubscribe link with it."""

from collections.abc import Iterator

from composer.checks.context import CheckContext, Problem

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
    tracked = context.page.xpath("count(//a[starts-with(@href, 'http') and not(@clicktracking)])")
    return len(context.rendering.html.encode()) + TRACKED_LINK * int(tracked)
