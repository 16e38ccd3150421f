"""A digest that a mail program quoted: “> ” at the beginning of nearly all lines, with somebody's words about it around."""

from collections.abc import Callable
from dataclasses import replace

from composer.reading.characters import cut
from composer.reading.document import Document, Dropped


def quoted(text: str, read: Callable[[str], Document]) -> Document | None:
    """What stands behind one level of quotes, as `read` reads it; None where it is not so.

    Lines without a quote, above and below, are somebody's words about it.
    """
    lines = text.split("\n")
    written = [line for line in lines if line and not line.isspace()]
    marked = sum(line.startswith(">") for line in written)
    if marked < max(3, 0.8 * len(written)):
        return None
    own = [
        Dropped(line=number, text=cut(line.strip()), reason="written beside the quoted digest")
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.startswith(">")
    ]
    inner = read("\n".join(line[1:].removeprefix(" ") if line.startswith(">") else "" for line in lines))
    return replace(inner, dropped=(*inner.dropped, *own))
