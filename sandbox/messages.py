"""From a stored request to the message one reader gets: substitutions, merged headers, MIME (RFC 5322, 2045, 2047)."""

import binascii
import html
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from email.header import Header
from email.utils import formataddr, formatdate
from typing import Any

from sandbox.ledger import StoredMessage, StoredRequest

_ANCHOR = re.compile(r"""<a\b[^>]*?\shref\s*=\s*(?:"([^"]*)"|'([^']*)')[^>]*>""", re.IGNORECASE)
_UNTRACKED = re.compile(r"""\sclicktracking\s*=\s*["']?off""", re.IGNORECASE)
_PLAIN_URL = re.compile(r"https?://[^\s<>\"')\]]+")
_BRACKETED_URL = re.compile(r"<\s*(https?://[^>\s]+)\s*>")


@dataclass(frozen=True, kw_only=True)
class Content:
    type: str
    value: str


@dataclass(frozen=True, kw_only=True)
class ReceivedMail:
    """One personalization, merged: what its reader is to see."""

    subject: str
    sender: Mapping[str, str]
    to: tuple[Mapping[str, str], ...]
    cc: tuple[Mapping[str, str], ...]
    reply_to: tuple[Mapping[str, str], ...]
    headers: Mapping[str, str]
    contents: tuple[Content, ...]
    attachments: tuple[Mapping[str, str], ...]

    def content(self, kind: str) -> str | None:
        return next((part.value for part in self.contents if part.type.lower() == kind), None)

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), None)

    @property
    def unsubscribe_url(self) -> str | None:
        """The http(s) address of List-Unsubscribe, if the message allows one-click unsubscribing (RFC 8058)."""
        if (self.header("List-Unsubscribe-Post") or "").strip() != "List-Unsubscribe=One-Click":
            return None
        match = _BRACKETED_URL.search(self.header("List-Unsubscribe") or "")
        return match[1] if match else None


@dataclass(frozen=True, kw_only=True)
class Link:
    url: str
    #: Whether SendGrid would rewrite it: it starts with http(s):// before substitution and does not opt out.
    tracked: bool


def substitute(text: str, values: Mapping[str, str]) -> str:
    """Plain find-and-replace, as SendGrid's substitutions; longer tags first so that none eats another's start."""
    for tag in sorted(values, key=len, reverse=True):
        text = text.replace(tag, values[tag])
    return text


def received(mail: Mapping[str, Any], position: int) -> ReceivedMail:
    """The message for personalization `position` of a valid request."""
    item = mail["personalizations"][position]
    values = item.get("substitutions") or {}
    reply_to = mail.get("reply_to_list") or ([mail["reply_to"]] if "reply_to" in mail else [])
    own = {name.lower() for name in item.get("headers") or {}}
    shared = {name: value for name, value in (mail.get("headers") or {}).items() if name.lower() not in own}
    return ReceivedMail(
        subject=substitute(item.get("subject") or mail.get("subject") or "", values),
        sender=item.get("from") or mail["from"],
        to=tuple(item["to"]),
        cc=tuple(item.get("cc") or ()),
        reply_to=tuple(
            {
                **person,
                "email": substitute(person["email"], values),
                "name": substitute(person.get("name") or "", values),
            }
            for person in reply_to
        ),
        headers={**shared, **(item.get("headers") or {})},
        contents=tuple(
            Content(type=part["type"], value=substitute(part["value"], values)) for part in mail.get("content") or ()
        ),
        attachments=tuple(mail.get("attachments") or ()),
    )


def anchors(markup: str) -> list[Link]:
    """The links of an HTML template in order; tags in them may still await substitution."""
    return [
        Link(
            url=html.unescape(match[1] if match[1] is not None else match[2]),
            tracked=(match[1] or match[2] or "").startswith(("http://", "https://"))
            and not _UNTRACKED.search(match[0]),
        )
        for match in _ANCHOR.finditer(markup)
    ]


def every_url(message: ReceivedMail) -> list[str]:
    """Each distinct http(s) address in the message: links of both parts and List-Unsubscribe."""
    urls = [link.url for link in anchors(message.content("text/html") or "")]
    urls += _PLAIN_URL.findall(message.content("text/plain") or "")
    urls += _BRACKETED_URL.findall(message.header("List-Unsubscribe") or "")
    return [url for url in dict.fromkeys(urls) if url.startswith(("http://", "https://"))]


def smtp_id(request: StoredRequest, position: int) -> str:
    return f"<{request.message_id}.{position}@geopod-sandbox>"


def eml(message: StoredMessage) -> bytes:
    """The message as RFC 5322 bytes with CRLF line ends."""
    request, position = message.request, message.recipient.position
    content = received(request.mail, position)
    names = {name.lower() for name in content.headers}
    lines = [
        b"From: " + _people([content.sender]),
        b"To: " + _people(content.to),
        *([b"Cc: " + _people(content.cc)] if content.cc else []),
        *([b"Reply-To: " + _people(content.reply_to)] if content.reply_to else []),
        _header("Subject", content.subject),
    ]
    if "date" not in names:
        lines.append(b"Date: " + formatdate(request.accepted_at).encode())
    if "message-id" not in names:
        lines.append(b"Message-ID: " + smtp_id(request, position).encode())
    lines += [_header(name, value) for name, value in content.headers.items()]
    lines.append(b"MIME-Version: 1.0")
    return b"\r\n".join(lines) + b"\r\n" + _body(content, f"=_{request.message_id}.{position}")


def _people(people: Any) -> bytes:
    return ", ".join(formataddr((person.get("name") or "", person["email"])) for person in people).encode("ascii")


def _header(name: str, value: str) -> bytes:
    # Unfolded while it can be: some receivers miss a List-Unsubscribe that spans lines.
    one_line = " ".join(re.split(r"[\r\n]+", value))
    if one_line.isascii() and "=?" not in one_line:
        return f"{name}: {one_line}".encode()
    encoded = Header(one_line, "utf-8", header_name=name).encode(linesep="\r\n")
    return f"{name}: {encoded}".encode("ascii", "replace")


def _body(content: ReceivedMail, boundary: str) -> bytes:
    """From the Content-Type header of the whole to its last line."""
    parts = [_text_part(part) for part in content.contents] or [b'Content-Type: text/plain; charset="utf-8"\r\n\r\n']
    body = parts[0] if len(parts) == 1 else _multipart("alternative", f"{boundary}.alternative", parts)
    if content.attachments:
        attached = [_attachment(item) for item in content.attachments]
        body = _multipart("mixed", f"{boundary}.mixed", [body, *attached])
    return body


def _multipart(kind: str, boundary: str, parts: list[bytes]) -> bytes:
    mark = boundary.encode()
    head = b"Content-Type: multipart/" + kind.encode() + b'; boundary="' + mark + b'"\r\n\r\n'
    return head + b"".join(b"--" + mark + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + mark + b"--\r\n"


def _text_part(part: Content) -> bytes:
    head = f'Content-Type: {part.type}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    text = part.value.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    # b2a_qp takes its line ends from the first one it meets.
    text = text if text.endswith("\r\n") else text + "\r\n"
    return head.encode("ascii", "replace") + binascii.b2a_qp(text.encode(), istext=True)


def _attachment(item: Mapping[str, str]) -> bytes:
    head = [
        f"Content-Type: {_token(item.get('type') or 'application/octet-stream')}",
        f'Content-Disposition: {item.get("disposition") or "attachment"}; filename="{_token(item["filename"])}"',
        "Content-Transfer-Encoding: base64",
    ]
    if item.get("content_id"):
        head.append(f"Content-ID: <{_token(item['content_id'])}>")
    encoded = binascii.b2a_base64(b64decode(item["content"]), newline=False)
    lines = [encoded[start : start + 76] for start in range(0, len(encoded), 76)]
    return "\r\n".join([*head, "", ""]).encode("ascii", "replace") + b"\r\n".join([*lines, b""])


def _token(text: str) -> str:
    """Without what could end a header or a quoted string."""
    return re.sub(r'[\x00-\x1f"\\<>;]', "", text)
