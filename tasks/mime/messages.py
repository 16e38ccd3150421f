"""One MIME message per recipient, pre-serialised: each reader's values are joined into a template (`mime`).

Shared by every transport that writes whole messages.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from typing import NamedTuple
from uuid import UUID

from composer.list_unsubscribe import list_unsubscribe
from composer.merge_tags import fill
from tasks.messages import Message, Recipient
from tasks.mime import quoted_printable
from tasks.mime.dkim import Signer
from tasks.mime.envelope_ids import EnvelopeId, EnvelopeIds, address_digest
from tasks.mime.template import (
    DATE,
    ENVELOPE,
    ENVELOPE_HEADER,
    ID,
    LINE_LIMIT,
    SUBJECT,
    TO,
    UNSUBSCRIBE,
    NotAnAddressError,
    Template,
    envelope_address,
    header_text,
    mailbox,
    make_template,
)

#: What may stand between the angle brackets of a header of its own, on one line.
_URL = re.compile(rf"[!-;=?-~]{{1,{LINE_LIMIT - 20}}}")


class MimeMessage(NamedTuple):
    """One recipient's message before it is joined. A tuple, since a request holds a thousand of them."""

    position: int
    delivery: str
    #: For the envelope; ASCII.
    address: str
    #: In the order of the template's slots.
    values: tuple[bytes, ...]
    #: Why it cannot be sent at all; empty when it can.
    problem: str = ""
    #: The id of its envelope, where it has one; ASCII, and no character of it needs xtext's escapes (RFC 3461 §4).
    envelope_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class MimeRequest:
    """What `encode` returns: a request of up to 1000 messages."""

    attempt: UUID
    #: The envelope's sender, and with it the Return-Path; ASCII.
    sender: str
    template: Template
    messages: tuple[MimeMessage, ...]
    signer: Signer | None = None

    def join(self, message: MimeMessage, tail: bytes = b"") -> bytes:
        """The whole message, with `tail` behind it."""
        if self.signer is None:
            return self.template.join(message.values, tail)
        whole = self.template.join(message.values)
        return self.signer.header(whole) + whole + tail


def encode_messages(
    message: Message,
    recipients: Sequence[Recipient],
    *,
    attempt: UUID,
    signer: Signer | None = None,
    envelope_ids: EnvelopeIds | None = None,
) -> MimeRequest:
    """Encode a request. A recipient who cannot be written to is kept, with the problem.

    `envelope_ids`: what seals the ids of readers' mails; None = they carry none, like mails outside any send.

    Raises ValueError for a message that cannot be sent to anybody: its sender is no address, or a header is not one.
    """
    sender = envelope_address(message.from_email)
    tokens = tuple(sorted({token for recipient in recipients for token in recipient.substitutions}))
    template = make_template(
        from_email=message.from_email,
        from_name=message.from_name,
        reply_to=message.reply_to,
        subject=message.subject,
        html=message.html,
        text=message.text,
        headers=tuple(message.headers.items()),
        tokens=tokens,
    )
    tail_of_id = f".{template.fingerprint}@{sender.rpartition('@')[2]}>"
    shared = {ID: tail_of_id.encode(), DATE: format_datetime(dt.datetime.now(dt.UTC)).encode()}
    made = (
        _message(template, message, recipient, position=position, attempt=attempt, shared=shared, seal=envelope_ids)
        for position, recipient in enumerate(recipients)
    )
    return MimeRequest(attempt=attempt, sender=sender, template=template, messages=tuple(made), signer=signer)


def _message(
    template: Template,
    message: Message,
    recipient: Recipient,
    *,
    position: int,
    attempt: UUID,
    shared: Mapping[str, bytes],
    seal: EnvelopeIds | None,
) -> MimeMessage:
    try:
        address = envelope_address(recipient.email)
        own = {**shared, TO: mailbox("To", recipient.name, address), UNSUBSCRIBE: _unsubscribe(recipient)}
    except NotAnAddressError as problem:
        return MimeMessage(position=position, delivery=recipient.delivery, address="", values=(), problem=str(problem))
    own[ID] = b"<" + (recipient.delivery or str(attempt)).encode() + shared[ID]
    encoded_values: dict[str, bytes] = {}
    for token, text in recipient.substitutions.items():
        if text not in encoded_values:
            encoded_values[text] = quoted_printable.value(text)
        own[token] = encoded_values[text]
    if SUBJECT in template.slots:
        own[SUBJECT] = header_text("Subject", fill(message.subject, recipient.substitutions))
    envelope_id = _envelope_id(message, recipient, attempt, address, seal) if seal else ""
    if envelope_id:
        own[ENVELOPE] = f"{ENVELOPE_HEADER}: {envelope_id}\r\n".encode()
    values = tuple([own.get(slot, b"") for slot in template.slots])
    return MimeMessage(
        position=position, delivery=recipient.delivery, address=address, values=values, envelope_id=envelope_id
    )


def _envelope_id(message: Message, recipient: Recipient, attempt: UUID, address: str, seal: EnvelopeIds) -> str:
    send_id, dot, subscriber_id = recipient.delivery.partition(".")
    if not dot:
        return ""
    envelope = EnvelopeId(int(send_id), int(subscriber_id), attempt, address_digest(address))
    return seal.seal(envelope, installation=message.installation)


def _unsubscribe(recipient: Recipient) -> bytes:
    """Both headers, or nothing. Raises NotAnAddressError."""
    url = recipient.unsubscribe_url
    if not url:
        return b""
    if not _URL.fullmatch(url):
        raise NotAnAddressError("its unsubscribe link cannot stand in a header")
    return "".join(f"{name}: {text}\r\n" for name, text in list_unsubscribe(url).items()).encode()
