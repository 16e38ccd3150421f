"""Bytes to a document: which format they are in, and that format's reader."""

import re
from dataclasses import replace

from composer.reading import html, mail, markdown, plain_text, word
from composer.reading.characters import LINE_BREAKS, cut
from composer.reading.decoding import check_size, decode
from composer.reading.document import Document, Doubt, Dropped
from composer.reading.errors import MOST_LINES, too_long

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
    return _quoted(text) or _by_marks(text)


def _by_marks(text: str) -> Document:
    head = text[:200_000]
    if _MARKDOWN.search(head) or len(_EMPHASISED.findall(head)) > 1:
        return markdown.read(text)
    return plain_text.read(text)


def _quoted(text: str) -> Document | None:
    """What is behind “> ” at the beginning of nearly all lines, as a mail program quotes; None where it is not so.

    Lines without it, above and below, are somebody's words about it.
    """
    lines = text.split("\n")
    written = [line for line in lines if line and not line.isspace()]
    quoted = sum(line.startswith(">") for line in written)
    if quoted < max(3, 0.8 * len(written)):
        return None
    own = [
        Dropped(line=number, text=cut(line.strip()), reason="written beside the quoted digest")
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.startswith(">")
    ]
    inner = _by_marks("\n".join(line[1:].removeprefix(" ") if line.startswith(">") else "" for line in lines))
    return replace(inner, dropped=(*inner.dropped, *own))
