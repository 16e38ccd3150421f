"""What each element of a page is to a reader of it: a block, a run of text, or nothing that an editor wrote."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

INLINE = {"a", "b", "strong", "i", "em", "u", "s", "sub", "sup", "code"}
SAME_AS = {
    "cite": "em",
    "var": "em",
    "dfn": "em",
    "ins": "u",
    "del": "s",
    "strike": "s",
    "kbd": "code",
    "samp": "code",
}
BLOCKS = {
    "address", "article", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "html", "legend", "li", "main", "ol",
    "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
    *(f"h{level}" for level in range(1, 7)),
}  # fmt: skip
#: Never what an editor wrote.
_LEFT_OUT = {
    "script": "a script", "style": "a style sheet", "template": "a template", "noscript": "for browsers without scripts",
    "iframe": "a frame", "object": "an embedded object", "embed": "an embedded object", "svg": "a drawing",
    "math": "a formula", "title": "the page's title", "head": "the page's head", "nav": "navigation of the page",
    "aside": "beside the text of the page", "button": "a button of the page", "select": "a form of the page",
    "textarea": "a form of the page", "audio": "a sound", "video": "a film", "canvas": "a drawing",
}  # fmt: skip
_HIDDEN = re.compile(r"display:\s*none|visibility:\s*hidden|mso-hide:\s*all", re.IGNORECASE)
#: Characters; a longer footer is text of the page.
_LONGEST_FOOTER = 2000


def why_left_out(element: Any, *, plain_lines: bool) -> str:
    """Why an element (lxml's) is no part of the text, in words; "" = it is.

    `plain_lines`: it stands in a text with a few tags in it, where an aside is a note of the editor's, as pasted from Notion.
    """
    if element.tag in _LEFT_OUT and not (element.tag == "aside" and plain_lines):
        return _LEFT_OUT[element.tag]
    if _HIDDEN.search(element.get("style") or "") or element.get("hidden") is not None:
        return "hidden on the page"
    if element.tag == "footer" and len(element.text_content()) < _LONGEST_FOOTER:
        return "the footer of the page"
    return ""


def link_address(href: str) -> str:
    """Where a link leads; Google Docs and Word wrap addresses in their own."""
    href = href.strip()
    if href.startswith(("https://www.google.com/url?", "http://www.google.com/url?")):
        try:
            target = parse_qs(urlsplit(href).query).get("q", [""])[0]
        except ValueError:
            target = ""
        href = target or href
    return href if href.lower().startswith(("http://", "https://", "mailto:", "tel:")) else ""
