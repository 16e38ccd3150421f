"""A mail (RFC 5322) to blocks: its HTML part, else its text; its subject is the title."""

import email
import re
from email.message import EmailMessage
from email.policy import default

from composer.reading import html, plain_text
from composer.reading.characters import clean, cut
from composer.reading.document import Document, Dropped
from composer.reading.errors import DigestError

_FORWARDED = re.compile(r"^(?:\s*(?:fwd?|fw|wg|tr|rv|re|aw)\s*:)+\s*", re.IGNORECASE)


def read(raw: bytes) -> tuple[Document, str]:
    """The document and its part's encoding. Raises DigestError where no part holds text."""
    message = email.message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    part = message.get_body(preferencelist=("html", "plain"))
    if part is None:
        raise DigestError(1, "the mail has no text; save it with its text, or paste the text itself")
    charset = (part.get_content_charset() or "utf-8").lower()
    try:
        content = part.get_content()
    except (LookupError, UnicodeError, ValueError) as error:
        raise DigestError(1, f"the mail's text cannot be read as {charset}: {error}") from error
    text = str(content).replace("\r\n", "\n")
    inner = html.read(text) if part.get_content_type() == "text/html" else plain_text.read(text)
    dropped = [
        Dropped(line=1, text=cut(clean(f"{name}: {value}")), reason="the header of the mail")
        for name, value in message.items()
        if name.lower() in {"from", "to", "cc", "date", "reply-to"}
    ]
    dropped += [
        Dropped(
            line=1,
            text=cut(attachment.get_filename() or attachment.get_content_type()),
            reason="an attachment of the mail",
        )
        for attachment in message.iter_attachments()
    ]
    subject = _FORWARDED.sub("", clean(str(message.get("subject") or "")))
    return (
        Document(
            format="eml",
            blocks=inner.blocks,
            title=subject or inner.title,
            dropped=(*dropped, *inner.dropped),
            doubts=inner.doubts,
        ),
        charset,
    )
