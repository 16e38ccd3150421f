"""Text inside a line: escaped as HTML, its bare addresses made links; and what the HTML of a line says."""

import re
from html import escape

from composer.entities import unescape
from composer.reading.characters import clean

#: An address in running text, without the punctuation behind it.
_URL = re.compile(r"(?<![\w@/.])(?:https?://|www\.)[^\s<>\"“”„«»|\\^`{}]+", re.IGNORECASE)
_HREF = re.compile(r"<a\b[^<>]*?\bhref=\"([^\"<>]*)\"[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_CLOSERS = {")": "(", "]": "[", "）": "（"}
_TRAILING = ".,;:!?'’…。，、；：！？*_"


def links_in(text: str) -> list[tuple[int, int]]:
    """Where addresses begin and end in a text."""
    return [(match.start(), match.start() + len(_trimmed(match[0]))) for match in _URL.finditer(text)]


def urls_in(text: str) -> list[str]:
    return [address(text[begin:end]) for begin, end in links_in(text)]


def address(url: str) -> str:
    return f"https://{url}" if url[:4].lower() == "www." else url


def as_html(text: str) -> str:
    """The text as HTML; its bare addresses are links."""
    if "://" not in text and "www." not in text.lower():
        return escape(text, quote=False)
    parts: list[str] = []
    done = 0
    for begin, end in links_in(text):
        url = text[begin:end]
        parts += [
            escape(text[done:begin], quote=False),
            f'<a href="{escape(address(url))}">{escape(url, quote=False)}</a>',
        ]
        done = end
    return "".join(parts) + escape(text[done:], quote=False)


def hrefs(html: str) -> list[str]:
    """The addresses of the links in a block's HTML, in order, each once."""
    return list(dict.fromkeys(unescape(url) for url in _HREF.findall(html)))


def without_tags(html: str) -> str:
    return unescape(_TAG.sub("", html))


def is_bold(html: str) -> bool:
    """Whether every letter of a block is inside bold elements."""
    if "<strong>" not in html and "<b>" not in html:
        return False
    outside: list[str] = []
    depth = 0
    for piece in re.split(r"(<[^<>]*>)", html):
        if piece in {"<strong>", "<b>"}:
            depth += 1
        elif piece in {"</strong>", "</b>"}:
            depth -= 1
        elif not piece.startswith("<") and not depth:
            outside.append(piece)
    return not any(sign.isalnum() for sign in "".join(outside))


def tidied(html: str) -> str:
    """Without elements that hold nothing."""
    before = ""
    for _ in range(4):
        if before == html:
            break
        before, html = html, re.sub(r"<(\w+)(?: [^<>]*)?>\s*</\1>", " ", html)
    return clean(html)


def _trimmed(url: str) -> str:
    counts = {sign: url.count(sign) for pair in _CLOSERS.items() for sign in pair}
    end = len(url)
    while end:
        last = url[end - 1]
        if last in _CLOSERS:
            if counts[last] <= counts[_CLOSERS[last]]:
                break
            counts[last] -= 1
        elif last not in _TRAILING:
            break
        end -= 1
    return url[:end]
