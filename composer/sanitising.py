"""Rich text that may go into a mail: what comes in is never trusted, whoever typed it."""

import re
from collections import Counter
from collections.abc import Iterable
from html import escape

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
_VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "wbr"})
#: What HTML's tokenizer tells apart (WHATWG HTML, 13.2.5), each read once from its beginning to its end: comments and what
#: is taken for one, elements whose content is text, tags with what stands in their quotes.
_MARKUP = re.compile(
    r"""<!--(?:-?>|.*?(?:--!?>|\Z))
    | <(?:[!?]|/(?![a-z]))[^>]*+
    | <(?P<text>script|style|title|textarea|xmp|iframe|noembed|noframes)(?=[\s/>]).*?(?:</(?P=text)|\Z)
    | <(?P<end>/?)(?P<tag>[a-z][^\s/>]*+)(?:=\s*+(?:"[^"]*+"?|'[^']*+'?)|[^>])*+""",
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
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

    Raises TextTooLargeError above 200,000 characters or 50 levels (nh3 is quadratic in depth, and the MJML parser's stack is
    finite).
    """
    if "<" not in html and "&" not in html:
        return printable(html).replace(">", "&gt;")
    if len(html) > MAX_CHARACTERS:
        raise TextTooLargeError(f"the text has {len(html):,} characters of HTML; at most {MAX_CHARACTERS:,} are taken")
    html = printable(html)
    _refuse_depth(html)
    cleaned = nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags=_DROPPED_WHOLE,
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes=_SCHEMES,
        link_rel=None,
    )
    # Once more, now that it is written as HTML is read: nobody knows all that can stand where no tag should.
    _refuse_depth(cleaned)
    return cleaned


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
    deepest = _depth(html)
    if deepest > MAX_DEPTH:
        raise TextTooLargeError(f"the text is nested {deepest} tags deep; at most {MAX_DEPTH} levels are taken")


def _depth(html: str) -> int:
    """An upper bound of how deep the tags nest, counting what HTML closes by itself only once.

    The standard library's parser takes minutes for 100 KB of unfinished tags, and fails at "<![".
    """
    are_open: Counter[str] = Counter()
    depth = deepest = 0
    for match in _MARKUP.finditer(html):
        tag = (match["tag"] or "").lower()
        if not tag or tag in _VOID:
            continue
        if match["end"]:
            if are_open[tag]:
                are_open[tag] -= 1
                depth -= 1
        elif not _closes_itself(tag, are_open):
            # A browser (and nh3) ignores the slash on anything that is not void.
            are_open[tag] += 1
            depth += 1
            deepest = max(deepest, depth)
    return deepest


def _closes_itself(tag: str, are_open: Counter[str]) -> bool:
    if tag == "li":
        return are_open["li"] > are_open["ul"] + are_open["ol"]
    return tag == "p" and are_open["p"] > 0
