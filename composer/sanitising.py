"""Rich text that may go into a mail: what comes in is never trusted, whoever typed it."""

import re
from collections.abc import Iterable
from html import escape
from html.parser import HTMLParser

import nh3

from newsdesk.core.errors import InputError

MAX_CHARACTERS = 200_000
MAX_DEPTH = 50

_TAGS = {
    "a",
    "b",
    "strong",
    "i",
    "em",
    "u",
    "s",
    "br",
    "p",
    "ul",
    "ol",
    "li",
    "blockquote",
    "h3",
    "h4",
    "code",
    "sub",
    "sup",
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto", "tel"}
#: nh3 drops these with their text.
_DROPPED_WHOLE = {"script", "style", "template", "noscript", "iframe", "object", "svg", "math", "title"}
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_LINK_TAG = re.compile(r"\{\{[^{}]*\}\}")

#: C0 and C1 controls but tab and newline, surrogates, and what Unicode calls noncharacters: mail cannot carry them.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


class TextTooLargeError(InputError, ValueError):
    """HTML too long or nested too deeply to be a story; the message says by how much."""


def printable(text: str) -> str:
    """The text without control characters and surrogates; all line ends become Unix ones."""
    if text.isascii() and text.isprintable():
        return text
    return _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def rich_text(html: str) -> str:
    """The HTML with only what a story may hold: paragraphs, emphasis, lists, quotes, small headings and links.

    Raises TooMuch above 200,000 characters or 50 levels (nh3 is quadratic in depth, and the MJML parser's stack is
    finite).
    """
    if "<" not in html and "&" not in html:
        return printable(html).replace(">", "&gt;")
    if len(html) > MAX_CHARACTERS:
        raise TextTooLargeError(f"the text has {len(html):,} characters of HTML; at most {MAX_CHARACTERS:,} are taken")
    html = printable(html)
    _refuse_depth(html)
    return nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags=_DROPPED_WHOLE,
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes=_SCHEMES,
        link_rel=None,
    )


def paragraphs_to_html(paragraphs: Iterable[str]) -> str:
    """Plain paragraphs as rich text."""
    return "".join(f"<p>{escape(printable(text), quote=False)}</p>" for text in paragraphs)


def followable(url: str) -> bool:
    """Whether an address is empty, relative, a merge tag, or of a kind that a mail may link to; `javascript:` is none.

    Spaces and control characters count for nothing in a scheme, as in browsers (WHATWG URL, 4.4).
    """
    scheme = _SCHEME.match(re.sub(r"[\x00-\x20]", "", url[:200]))
    return scheme is None or scheme[1].lower() in _SCHEMES


def _attribute(tag: str, name: str, value: str) -> str | None:
    """Keep a link that leads somewhere from within a mail: absolute, an anchor, or a merge tag."""
    if tag == "a" and name == "href":
        absolute = value.lower().startswith(("http://", "https://", "mailto:", "tel:", "#s-"))
        return value if absolute or _LINK_TAG.fullmatch(value.strip()) else None
    return value


def _refuse_depth(html: str) -> None:
    if html.count("<") <= MAX_DEPTH:
        return
    measure = _Depth(convert_charrefs=False)
    measure.feed(html)
    measure.close()
    if measure.deepest > MAX_DEPTH:
        raise TextTooLargeError(f"the text is nested {measure.deepest} tags deep; at most {MAX_DEPTH} levels are taken")


class _Depth(HTMLParser):
    """An upper bound of how deep the tags nest, counting what HTML closes by itself only once."""

    _VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "wbr"})

    def __init__(self, *, convert_charrefs: bool) -> None:
        super().__init__(convert_charrefs=convert_charrefs)
        self.open: dict[str, int] = {}
        self.depth = self.deepest = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser calls it so
        if tag not in self._VOID and not self._closes_itself(tag):
            self.open[tag] = self.open.get(tag, 0) + 1
            self.depth += 1
            self.deepest = max(self.deepest, self.depth)

    def _closes_itself(self, tag: str) -> bool:
        if tag == "li":
            return self.open.get("li", 0) > self.open.get("ul", 0) + self.open.get("ol", 0)
        return tag == "p" and bool(self.open.get("p"))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # A browser (and nh3) ignores the slash on anything that is not void.
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self.open.get(tag):
            self.open[tag] -= 1
            self.depth -= 1
