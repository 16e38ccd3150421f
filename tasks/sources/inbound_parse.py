"""What SendGrid's Inbound Parse posts for a mail: its parts as form fields, or the whole message in one.

Each field is in the encoding that the mail's part had; the field `charsets` says in which (SendGrid, Inbound Parse Webhook reference).
"""

import codecs
import json
from collections.abc import Mapping
from contextlib import suppress
from email.message import EmailMessage
from email.parser import HeaderParser
from email.policy import default

from composer.reading.characters import clean, cut
from composer.reading.decoding import MAX_BYTES
from composer.reading.document import Dropped
from composer.reading.errors import DigestError
from composer.reading.mail import NO_CHARSETS, Mail, parse_mail, senders_of
from composer.sanitising import printable

#: Before the text of a mail is looked at.
_MOST_HEADER_BYTES = 500_000


def mail_of(fields: Mapping[str, bytes]) -> Mail:
    """Raises DigestError where the fields hold no mail's text, and what else reading rubbish raises (mails.READING_ERRORS)."""
    if fields.get("email"):
        return parse_mail(fields["email"])
    if any(len(fields.get(name, b"")) > MAX_BYTES for name in ("html", "text")):
        raise DigestError(1, f"its text has more than {MAX_BYTES:,} bytes")
    charsets = _charsets(fields)
    said = {
        name: _decoded(fields.get(name, b"")[:MAX_BYTES], charsets.get(name, ""))
        for name in ("from", "subject", "html", "text", "headers")
    }
    if not said["html"].strip() and not said["text"].strip():
        raise DigestError(1, "the mail has no text")
    headers = HeaderParser(policy=default).parsestr(said["headers"][:_MOST_HEADER_BYTES])
    addresses, name = senders_of(_from_line(said["from"]))
    return Mail(
        subject=said["subject"],
        html=said["html"] if said["html"].strip() else "",
        text=said["text"],
        charset=charsets.get("html" if said["html"].strip() else "text", "utf-8").lower(),
        message_id=clean(str(headers.get("message-id") or "")),
        addresses=addresses,
        name=name,
        dropped=_attachments(fields),
    )


def is_forged(fields: Mapping[str, bytes]) -> bool:
    """Whether the sender's domain says that the mail is not from there (SPF), and no signature says that it is (DKIM)."""
    spf, dkim = (fields.get(name, b"").decode("ascii", "replace").strip().lower() for name in ("SPF", "dkim"))
    return spf.startswith("fail") and "pass" not in dkim


def _charsets(fields: Mapping[str, bytes]) -> dict[str, str]:
    with suppress(ValueError, RecursionError):
        found = json.loads(fields.get("charsets", b"{}"))
        if isinstance(found, dict):
            return {name: charset for name, charset in found.items() if isinstance(charset, str)}
    return {}


def _decoded(raw: bytes, charset: str) -> str:
    """As its charset says, where it is so; else as UTF-8, else as what most mails are that say nothing true."""
    for encoding in (charset, "utf-8"):
        with suppress(LookupError, UnicodeError, ValueError):
            name = codecs.lookup(encoding).name
            if name not in NO_CHARSETS:
                # Mails that say ISO 8859-1 mean what browsers take it for (WHATWG Encoding Standard, 4.2).
                return printable(raw.decode("cp1252" if name == "iso8859-1" else name))
    return printable(raw.decode("cp1252", "replace"))


def _from_line(written: str) -> EmailMessage:
    message = EmailMessage(policy=default)
    with suppress(ValueError, LookupError, AttributeError, TypeError):
        message["From"] = clean(written.replace("\n", " "))
    return message


def _attachments(fields: Mapping[str, bytes]) -> tuple[Dropped, ...]:
    count = fields.get("attachments", b"").decode("ascii", "replace").strip()
    if not count or count == "0":
        return ()
    return (Dropped(line=1, text=cut(count), reason="attachments of the mail"),)
