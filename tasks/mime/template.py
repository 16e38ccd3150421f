"""A message that is encoded once, and the pieces of headers that differ by reader.

multipart/alternative, quoted-printable, CRLF, ASCII throughout (RFC 5322, RFC 2045 to 2047).
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import idna

from composer.header_text import encoded
from newsdesk.core.errors import InputError
from tasks.mime import quoted_printable

#: Slots of a template beside the merge tags; no tag begins with a colon.
TO, SUBJECT, DATE, ID, UNSUBSCRIBE, ENVELOPE = ":to", ":subject", ":date", ":id", ":unsubscribe", ":envelope"
#: The header with the envelope's id (`tasks.mime.envelope_ids`): a delivery report shows the headers of the mail it is about.
ENVELOPE_HEADER = "X-Newsdesk-Envelope"
_OWN_HEADERS = frozenset(
    [
        "from",
        "to",
        "cc",
        "bcc",
        "subject",
        "date",
        "message-id",
        "reply-to",
        "sender",
        "return-path",
        "mime-version",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "dkim-signature",
        ENVELOPE_HEADER.lower(),
    ]
)
_HEADER_NAME = re.compile(r"[!-9;-~]{1,70}")
#: RFC 5321 §4.5.3.1 and §4.1.2, without the quoted and bracketed forms, which no reader of a newsletter has.
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_DOMAIN = re.compile(r"(?=.{1,255}$)[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
#: What both of them surely take: nearly every address, told at one look.
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,200}[A-Za-z0-9]")
#: RFC 5322 §2.1.1, without the CRLF.
LINE_LIMIT = 998
_NAME_LIMIT = 200


class NotAnAddressError(InputError, ValueError):
    """Nothing that could stand in an SMTP envelope or a header."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """A message split at its slots: literal, slot, literal, …, literal."""

    literals: tuple[bytes, ...]
    slots: tuple[str, ...]
    #: Tells this message from those of other sends and installations, for Message-IDs.
    fingerprint: str

    def join(self, values: Sequence[bytes], tail: bytes = b"") -> bytes:
        pieces = [b""] * (2 * len(self.literals))
        pieces[::2] = self.literals
        pieces[1:-1:2] = values
        pieces[-1] = tail
        return b"".join(pieces)


def envelope_address(email: str) -> str:
    """The address with its domain in ASCII (IDNA). Raises NotAnAddressError; a local part must be ASCII already (no SMTPUTF8)."""
    if _PLAIN_ADDRESS.fullmatch(email):
        return email
    local, _, domain = email.rpartition("@")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode()
        except (idna.IDNAError, UnicodeError) as error:
            raise NotAnAddressError(f"its domain is not a name: {error}") from error
    if not local.isascii():
        raise NotAnAddressError("messages before the @ that SMTP can only carry with SMTPUTF8 are not supported")
    if not (_LOCAL_PART.fullmatch(local) and _DOMAIN.fullmatch(domain)):
        raise NotAnAddressError("not an address that SMTP can carry")
    return f"{local}@{domain}"


@lru_cache(maxsize=8)
def make_template(
    *,
    from_email: str,
    from_name: str,
    reply_to: str,
    subject: str,
    html: str,
    text: str,
    headers: tuple[tuple[str, str], ...],
    tokens: tuple[str, ...],
) -> Template:
    splitter = re.compile("|".join(re.escape(token) for token in sorted(tokens, key=len, reverse=True)) or r"(?!)")
    fingerprint = blake2b(f"{from_email}\0{subject}\0{html}\0{text}".encode(), digest_size=8).hexdigest()
    # "=_" cannot stand in quoted-printable text, so no line of a part can be taken for the boundary.
    boundary = f"=_nd-{fingerprint}".encode()
    parts: list[bytes | str] = [b"From: ", mailbox("From", from_name, envelope_address(from_email))]
    parts += [b"\r\nTo: ", TO, b"\r\nSubject: "]
    parts += [SUBJECT] if splitter.search(subject) else [header_text("Subject", subject)]
    parts += [b"\r\nDate: ", DATE, b"\r\nMessage-ID: ", ID, b"\r\n"]
    if reply_to:
        parts += [b"Reply-To: ", mailbox("Reply-To", "", envelope_address(reply_to)), b"\r\n"]
    parts += [_header(name, content) for name, content in headers]
    parts += [UNSUBSCRIBE, ENVELOPE, b"MIME-Version: 1.0\r\n"]
    parts += [b'Content-Type: multipart/alternative; boundary="' + boundary + b'"\r\n\r\n']
    for subtype, content in ((b"plain", text), (b"html", html)):
        parts += [b"--" + boundary + b"\r\nContent-Type: text/" + subtype + b"; charset=utf-8\r\n"]
        parts += [b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"]
        parts += [*_split(content, splitter), b"\r\n"]
    parts += [b"--" + boundary + b"--\r\n"]
    return _assembled(parts, fingerprint)


def _assembled(parts: Sequence[bytes | str], fingerprint: str) -> Template:
    """Neighbouring literals become one."""
    literals, slots = [b""], []
    for part in parts:
        if isinstance(part, bytes):
            literals[-1] += part
        else:
            slots.append(part)
            literals.append(b"")
    return Template(literals=tuple(literals), slots=tuple(slots), fingerprint=fingerprint)


def _split(content: str, splitter: re.Pattern[str]) -> list[bytes | str]:
    parts: list[bytes | str] = []
    at = 0
    for match in splitter.finditer(content):
        parts += [quoted_printable.literal(content[at : match.start()], joined=True), match[0]]
        at = match.end()
    return [*parts, quoted_printable.literal(content[at:], joined=False)]


def _header(name: str, content: str) -> bytes:
    lower = name.lower()
    if not _HEADER_NAME.fullmatch(name) or lower in _OWN_HEADERS or lower.startswith("content-"):
        raise ValueError(f"{name!r} is not a header a message may bring along")
    return f"{name}: ".encode() + header_text(name, content) + b"\r\n"


def header_text(name: str, text: str) -> bytes:
    line = quoted_printable.one_line(text)
    if line.isascii() and "=?" not in line and len(line) + len(name) < 76:
        return line.encode()
    return encoded(name, line).encode()


def mailbox(header: str, name: str, address: str) -> bytes:
    """RFC 5322 §3.4. A name that only looks encoded is encoded, so that it is shown as it was typed."""
    shown = quoted_printable.one_line(name)[:_NAME_LIMIT]
    if not shown:
        return address.encode()
    if shown.isascii() and "=?" not in shown:
        escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
        gap = " " if len(header) + len(escaped) + len(address) < 70 else "\r\n "
        return f'"{escaped}"{gap}<{address}>'.encode()
    # Up to 42 bytes are one encoded word: what `encoded` makes of it, 30 times as fast, and most names are this short.
    raw = shown.encode("utf-8", "replace")
    words = b"=?utf-8?b?" + base64.b64encode(raw) + b"?=" if len(raw) <= 42 else encoded(header, raw.decode()).encode()
    return words + b"\r\n <" + address.encode() + b">"
