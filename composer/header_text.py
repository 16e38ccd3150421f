"""The text of a message header by RFC 2047: ASCII as it is, everything else in encoded words."""

from email.header import Header

CRLF = "\r\n"


def encoded(name: str, text: str) -> str:
    """A header's text by RFC 2047, folded.

    The standard library's EmailMessage corrupts some emoji and CJK text at its folds; Header does not.
    """
    charset = "us-ascii" if text.isascii() else "utf-8"
    return Header(text, charset, maxlinelen=75, header_name=name).encode(linesep=CRLF)
