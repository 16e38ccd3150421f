"""Texts, addresses and dates out of what publishers write, whatever they write there."""

import datetime as dt
import re
from contextlib import suppress
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml import etree
from lxml import html as lxml_html

from composer.sanitising import TextTooLargeError, printable, rich_text

#: Characters of a lede made from the text's beginning, and of an address.
LONGEST_LEDE, LONGEST_URL = 320, 2000
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])")


def text_of(html: Any) -> str:
    """The text of HTML, a line for each paragraph; "" for what is no text, or too large for a story."""
    if not isinstance(html, str):
        return ""
    written = printable(html)
    if "<" not in written and "&" not in written:
        return written.strip()
    try:
        tree = lxml_html.fromstring(f"<div>{rich_text(written)}</div>")
    except (TextTooLargeError, etree.LxmlError, ValueError):
        return ""
    for block in tree.iter("p", "li", "blockquote", "h3", "h4", "br"):
        block.tail = f"\n{block.tail or ''}"
    text: str = tree.text_content()
    return "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())


def plain(value: Any) -> str:
    """Text on one line."""
    return " ".join(text_of(value).split())


def first_of(*candidates: Any) -> str:
    """The first that has any text, on one line; "" when none has."""
    return next((text for candidate in candidates if (text := plain(candidate))), "")


def absolute(address: Any, base: str) -> str:
    """A web address as a page at `base` means it; "" for what is none."""
    if not isinstance(address, str) or not address.strip():
        return ""
    try:
        joined = urljoin(base, address.strip())
        host = urlsplit(joined).hostname
    except ValueError:
        return ""
    is_web = joined.lower().startswith(("http://", "https://")) and len(joined) <= LONGEST_URL
    return joined if host and is_web else ""


def date_of(*candidates: Any) -> dt.date | None:
    """The first that begins like 2026-11-25."""
    for candidate in candidates:
        with suppress(TypeError, ValueError):
            return dt.date.fromisoformat(str(candidate)[:10])
    return None


def beginning(text: str, longest: int = LONGEST_LEDE) -> str:
    """The first sentences of a text that fit, or its first words."""
    paragraph = next((line.strip() for line in text.splitlines() if len(line.strip()) > 40), text.strip())
    if len(paragraph) <= longest:
        return paragraph
    kept = ""
    for sentence in _SENTENCE.split(paragraph):
        if len(kept) + len(sentence) > longest:
            break
        kept = f"{kept} {sentence}".strip()
    return kept or f"{paragraph[: longest - 1].rsplit(' ', 1)[0]}…"
