"""Quoted-printable (RFC 2045 §6.7) in pieces that can be joined later.

A message is encoded once, split where a reader's values go; each value stands on lines of its own between soft breaks, so
that joining never makes a line longer than 76 characters. No line begins with a dot or with "From ": there is nothing to
stuff for SMTP (RFC 5321 §4.5.2), and one form serves the wire, a file and a signature.
"""

import re

SOFT_BREAK = b"=\r\n"

_NEWLINES = re.compile(r"\r\n|\r|\n")
#: Whatever could end a line or confuse a terminal; a value is one line.
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_UNSAFE = re.compile(rb"[^\t !-<>-~]")
#: Nothing to escape.
_PLAIN = re.compile(r"[ -<>-~]+")
#: Up to 72 characters that do not end inside an escape; at a line's start one more character may grow by two.
_CHUNK = re.compile(rb".{1,72}(?<!=)(?<!=.)", re.DOTALL)
_ESCAPES = {byte: b"=%02X" % byte for byte in range(256)}


def literal(text: str, *, joined: bool) -> bytes:
    """Text that is the same for everybody. `joined`: a value follows, on a line of its own."""
    lines = _NEWLINES.split(text)
    done = [
        _line(line.encode("utf-8", "replace"), open_end=joined and at == len(lines) - 1)
        for at, line in enumerate(lines)
    ]
    if joined and done[-1]:
        done[-1] += SOFT_BREAK
    return b"\r\n".join(done)


def value(text: str) -> bytes:
    """One reader's value, on a line or lines of its own that end in a soft break; controls become spaces."""
    if _PLAIN.fullmatch(text):
        plain = text.encode()
        if len(plain) <= 72:
            return _started(plain) + SOFT_BREAK
        chunks = [_started(plain[at : at + 72]) for at in range(0, len(plain), 72)]
        return SOFT_BREAK.join(chunks) + SOFT_BREAK
    raw = CONTROLS.sub(" ", text).encode("utf-8", "replace")
    return _line(raw, open_end=True) + SOFT_BREAK if raw else b""


def one_line(text: str) -> str:
    """The text without line breaks and other controls, for headers."""
    return " ".join((text if text.isprintable() else CONTROLS.sub(" ", text)).split())


def _line(raw: bytes, *, open_end: bool) -> bytes:
    """One line; unless a soft break follows (`open_end`), white space at its end is escaped."""
    escaped = _UNSAFE.sub(lambda match: _ESCAPES[match[0][0]], raw) if _UNSAFE.search(raw) else raw
    if not open_end and escaped.endswith((b" ", b"\t")):
        escaped = escaped[:-1] + _ESCAPES[escaped[-1]]
    chunks = [escaped] if len(escaped) <= 72 else _CHUNK.findall(escaped)
    return SOFT_BREAK.join([_started(chunk) for chunk in chunks])


def _started(chunk: bytes) -> bytes:
    if chunk[:1] == b"." or chunk[:5] == b"From ":
        return _ESCAPES[chunk[0]] + chunk[1:]
    return chunk
