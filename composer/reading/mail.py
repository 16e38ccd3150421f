"""A mail (RFC 5322) to blocks: its HTML part, else its text; its subject is the title."""

import email
import hashlib
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from typing import Any

from composer.reading import html, phrases, plain_text
from composer.reading.characters import clean, cut
from composer.reading.decoding import check_size
from composer.reading.document import Document, Dropped
from composer.reading.errors import DigestError
from composer.reading.quoting import quoted
from composer.sanitising import printable

#: Codecs of host names: no mail is in them, and reading them takes quadratic time.
NO_CHARSETS = {"punycode", "idna"}
#: What the standard library makes of headers that are none: addresses, dates and types that nobody thought of.
STUMBLES = (AttributeError, LookupError, TypeError, ValueError, OverflowError, RecursionError, AssertionError)


@dataclass(frozen=True, kw_only=True)
class Mail:
    """What a mail says. At least one of `html` and `text` is not empty."""

    subject: str
    html: str = ""
    text: str = ""
    #: Of the part that is read.
    charset: str = "utf-8"
    message_id: str = ""
    #: Its From: everybody in it, and the name of the first.
    addresses: tuple[str, ...] = ()
    name: str = ""
    dropped: tuple[Dropped, ...] = ()

    @property
    def key(self) -> str:
        """The same for the same mail, however often it comes: its Message-ID, else what it says."""
        said = "\n".join([*self.addresses, self.subject, self.html, self.text])
        return self.message_id or hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def read(raw: bytes) -> tuple[Document, str]:
    """The document and its part's encoding. Raises DigestError where no part holds text."""
    mail = parse_mail(raw)
    return document_of(mail), mail.charset


def parse_mail(raw: bytes) -> Mail:
    """Raises DigestError where no part holds text, or where its headers cannot be read."""
    try:
        return _read(raw)
    except DigestError:
        raise
    except STUMBLES as error:
        raise DigestError(1, f"the mail's headers cannot be read: {error}; paste its text instead") from error


def _read(raw: bytes) -> Mail:
    message = email.message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    part = message.get_body(preferencelist=("html", "plain"))
    if part is None:
        raise DigestError(1, "the mail has no text; save it with its text, or paste the text itself")
    charset = (part.get_content_charset() or "utf-8").lower()
    if charset in NO_CHARSETS:
        raise DigestError(1, f"the mail's text cannot be read as {charset}")
    try:
        content = str(part.get_content())
    except (LookupError, UnicodeError, ValueError) as error:
        raise DigestError(1, f"the mail's text cannot be read as {charset}: {error}") from error
    is_html = part.get_content_type() == "text/html"
    addresses, name = senders_of(message)
    return Mail(
        subject=_header(message, "subject"),
        html=content if is_html else "",
        text="" if is_html else content,
        charset=charset,
        message_id=clean(_header(message, "message-id")),
        addresses=addresses,
        name=name,
        dropped=tuple(_left_out(message)),
    )


def document_of(mail: Mail) -> Document:
    """Raises DigestError where it is too much text."""
    check_size(mail.html or mail.text)
    text = (mail.html or mail.text).replace("\r\n", "\n").replace("\0", "")
    inner = html.read(text) if mail.html else quoted(text, plain_text.read) or plain_text.read(text)
    subject = phrases.FORWARDED.sub("", clean(printable(mail.subject)))
    return Document(
        format="eml",
        blocks=inner.blocks,
        title=subject or inner.title,
        dropped=(*mail.dropped, *inner.dropped),
        doubts=inner.doubts,
    )


def senders_of(message: Any) -> tuple[tuple[str, ...], str]:
    """The addresses of a message's From, in lower case, and the name of the first."""
    # What is no address makes the standard library stumble in several ways.
    with suppress(*STUMBLES):
        found = message["from"].addresses
        return tuple(one.addr_spec.lower() for one in found), clean(printable(found[0].display_name))
    return (), ""


def _header(message: EmailMessage, name: str) -> str:
    """The first header of this name in its words; as it was sent where it cannot be read."""
    try:
        return str(message.get(name) or "")
    except STUMBLES:
        return next(printable(str(value)) for key, value in message.raw_items() if key.lower() == name)


def _left_out(message: EmailMessage) -> list[Dropped]:
    headers = [
        Dropped(line=1, text=cut(clean(f"{name}: {_header(message, name.lower())}")), reason="the header of the mail")
        for name in dict.fromkeys(message.keys())
        if name.lower() in {"from", "to", "cc", "date", "reply-to"}
    ]
    attachments = [
        Dropped(
            line=1,
            text=cut(attachment.get_filename() or attachment.get_content_type()),
            reason="an attachment of the mail",
        )
        for attachment in message.iter_attachments()
    ]
    return headers + attachments
