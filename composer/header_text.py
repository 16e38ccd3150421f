"""The text of a message header by RFC 2047: ASCII as it is, everything else in encoded words."""

from email.header import Header

CRLF = "\r\n"
#: A line's length, without its end (RFC 5322 asks for 78, RFC 2047 for 76 where there are encoded words).
_LINE = 75


def encoded(name: str, text: str) -> str:
    """A header's text by RFC 2047, folded.

    The standard library's EmailMessage corrupts some emoji and CJK text at its folds; Header does not.
    """
    charset = "us-ascii" if text.isascii() and not _needs_encoding(name, text) else "utf-8"
    return Header(text, charset, maxlinelen=_LINE, header_name=name).encode(linesep=CRLF)


def _needs_encoding(name: str, text: str) -> bool:
    """Whether ASCII text would not come back as it was: it looks encoded, has a word longer than a line, or odd spaces.

    Header would begin such a header with an empty line, which some servers take for its end.
    """
    first, *others = text.split(" ")
    too_long = len(name) + 2 + len(first) > _LINE or any(len(word) >= _LINE for word in others)
    return too_long or "=?" in text or text != " ".join(text.split())
