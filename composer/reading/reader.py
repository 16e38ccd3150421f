"""Bytes to a document: which format they are in, and that format's reader."""

import re
from dataclasses import replace

from composer.reading import html, mail, markdown, plain_text, word
from composer.reading.characters import LINE_BREAKS
from composer.reading.decoding import check_size, decode
from composer.reading.document import Document, Doubt
from composer.reading.errors import MOST_LINES, too_long
from composer.reading.front_matter import without_front_matter
from composer.reading.quoting import quoted

_ZIP = b"PK\x03\x04"
_BLOCK_TAG = re.compile(r"<(?:!doctype html|html|body|p|div|h[1-6]|li|ul|ol|table|br)\b[^<>]{0,300}>", re.IGNORECASE)
_MARKDOWN = re.compile(
    r"^#{1,6} \S|\*\*[^\s*][^*\n]{0,300}\*\*|\]\((?:https?://|mailto:|/)[^\s()]{1,500}[^\n]{0,200}\)|^(?:```|~~~)",
    re.MULTILINE,
)
#: A whole line in italics or bold; one may be anything, several are headlines.
_EMPHASISED = re.compile(r"^(?P<mark>__|[*_])(?=[^\s*_])[^*_\n]{1,300}(?<=\S)(?P=mark)$", re.MULTILINE)
_MAIL = re.compile(
    rb"(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*){0,60}?(?:mime-version|content-type|received|message-id|return-path):",
    re.IGNORECASE,
)


def read(raw: bytes | str, *, encoding: str = "") -> tuple[Document, str]:
    """The document, and the encoding of its text. Raises DigestError.

    `encoding`: as Python names it; empty where the bytes shall tell it.
    """
    check_size(raw)
    if isinstance(raw, bytes) and raw.startswith(_ZIP):
        return word.read(raw), "utf-8"
    if isinstance(raw, bytes) and _MAIL.match(raw[:20_000].replace(b"\r\n", b"\n")):
        return mail.read(raw)
    decoded = decode(raw, encoding)
    document = read_text(decoded.text)
    if decoded.doubt_line:
        message = f"not UTF-8; read as {decoded.title}, so look at the accents and quotes"
        document = replace(
            document, doubts=(*document.doubts, Doubt(line=decoded.doubt_line, text="", message=message))
        )
    return document, decoded.encoding


def read_text(text: str) -> Document:
    """Text in the format that its marks tell."""
    head = text[:200_000]
    if len(_BLOCK_TAG.findall(head, 0)) > 1:
        return html.read(text)
    lines = [number for number, line in enumerate(LINE_BREAKS.split(text), start=1) if line and not line.isspace()]
    if len(lines) > MOST_LINES:
        raise too_long(lines[MOST_LINES])
    text, title, properties = without_front_matter(text)
    document = quoted(text, _by_marks) or _by_marks(text)
    return replace(document, title=document.title or title, dropped=(*document.dropped, *properties))


def _by_marks(text: str) -> Document:
    head = text[:200_000]
    if _MARKDOWN.search(head) or len(_EMPHASISED.findall(head)) > 1:
        return markdown.read(text)
    return plain_text.read(text)
