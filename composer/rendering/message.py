"""One finished message, to look at in a mail client. What is sent in numbers is built elsewhere, from the same parts."""

import datetime as dt
import hashlib
from email.charset import QP, Charset
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr, make_msgid

from composer.content import PublicationContent
from composer.header_text import CRLF, encoded
from composer.list_unsubscribe import list_unsubscribe
from composer.merge_tags import fill, values
from composer.rendering.result import Rendering

_UTF_8 = Charset("utf-8")
_UTF_8.body_encoding = QP


def eml(
    rendering: Rendering,
    publication: PublicationContent,
    *,
    to_name: str = "Sample Reader",
    to_email: str = "reader@example.com",
    unsubscribe_url: str = "https://example.com/u/sample",
    preferences_url: str = "https://example.com/p/sample",
    date: dt.datetime | None = None,
) -> bytes:
    """The mail as this reader would get it: multipart/alternative, quoted-printable, lines ended by CRLF (RFC 5322).

    Raises ValueError for a line break in an address or URL, which could start another header.
    """
    own = values(
        rendering.tags, name=to_name, email=to_email, unsubscribe_url=unsubscribe_url, preferences_url=preferences_url
    )
    boundary = f"nd-{hashlib.sha256(rendering.html.encode()).hexdigest()[:16]}"
    sender = publication.from_email or "newsletter@example.com"
    headers = {
        "From": _address(publication.from_name or publication.title, sender),
        "To": _address(to_name, to_email),
        "Subject": encoded("Subject", fill(rendering.subject, own)),
        "Date": format_datetime(date or dt.datetime.now(dt.UTC)),
        "Message-ID": make_msgid(domain=sender.rpartition("@")[2]),
        **list_unsubscribe(unsubscribe_url),
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative; boundary="{boundary}"',
    }
    if publication.reply_to:
        headers["Reply-To"] = _address("", publication.reply_to)
    head = "".join(f"{name}: {_safe(name, value)}{CRLF}" for name, value in headers.items())
    parts = (_part("plain", fill(rendering.text, own)), _part("html", fill(rendering.html, own)))
    body = "".join(f"--{boundary}{CRLF}{part}{CRLF}" for part in parts)
    return f"{head}{CRLF}{body}--{boundary}--{CRLF}".encode("ascii")


def _address(name: str, address: str) -> str:
    return formataddr((" ".join(name.split()), address))


def _safe(name: str, value: str) -> str:
    if any(not line.startswith((" ", "\t")) for line in value.split(CRLF)[1:]) or {"\r", "\n"} & set(
        value.replace(CRLF, "")
    ):
        raise ValueError(f"a line break in the header {name}")
    return value


def _part(subtype: str, text: str) -> str:
    part = MIMEText(text, subtype)
    del part["Content-Transfer-Encoding"]
    part.set_payload(text, _UTF_8)
    del part["MIME-Version"]
    return part.as_string().replace("\n", CRLF)
