"""The id that a mail's envelope and headers carry, by which a delivery report is known to be about a mail of ours.

It stands in `ENVID` (RFC 3461 §4.4), which every server on the way that speaks DSN hands on and puts into its report, and in
a header, since a report shows the headers of the mail it is about (RFC 3462 §2). Reports are mails: anybody may write one.
So the id is sealed, like a reader's links (`subscribers.tokens`): AES-SIV (RFC 5297), with the installation as what it is
bound to. Nobody without a key makes one, and whoever has one has a single reader's, of a single attempt.
"""

import re
import struct
from base64 import urlsafe_b64encode
from binascii import a2b_base64
from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tasks.mime.template import NotAnAddressError, envelope_address

#: send, subscriber, attempt, address. With the synthetic vector it is 54 bytes: 72 characters without padding, of the 100 that
#: RFC 3461 allows. None of them needs xtext's escapes (§4).
_PAYLOAD = struct.Struct(">IQ16s10s")
_KEY_SIZE = 64
_SHAPE = re.compile(r"[A-Za-z0-9_-]{72}")


class EnvelopeId(NamedTuple):
    """Which mail it was: one reader's, of one attempt."""

    send_id: int
    subscriber_id: int
    attempt: UUID
    #: 10 bytes that tell whether an address is the one it was sent to (`address_digest`).
    address: bytes


class EnvelopeIds:
    """Seals with the secret key; opens what it or any earlier key sealed."""

    def __init__(self, secret_key: str, fallbacks: Iterable[str] = ()) -> None:
        self._ciphers = tuple(_cipher(secret) for secret in (secret_key, *fallbacks))

    def seal(self, envelope: EnvelopeId, *, installation: str) -> str:
        """72 characters that stand in an ENVID and a header as they are. Raises struct.error for ids that are negative or
        beyond 32 (the subscriber's: 64) bits.
        """
        payload = _PAYLOAD.pack(envelope.send_id, envelope.subscriber_id, envelope.attempt.bytes, envelope.address)
        return urlsafe_b64encode(self._ciphers[0].encrypt(payload, [installation.encode()])).decode("ascii")

    def open(self, sealed: str, *, installation: str) -> EnvelopeId | None:
        """What it says; None when none of the keys made it for this installation."""
        if not _SHAPE.fullmatch(sealed):
            return None
        data = a2b_base64(sealed.replace("-", "+").replace("_", "/"))
        for cipher in self._ciphers:
            try:
                send_id, subscriber_id, attempt, address = _PAYLOAD.unpack(
                    cipher.decrypt(data, [installation.encode()])
                )
            except InvalidTag:
                continue
            return EnvelopeId(send_id, subscriber_id, UUID(bytes=attempt), address)
        return None


def address_digest(address: str) -> bytes:
    """The same for all ways to write one address: its domain in ASCII or not, in any case."""
    try:
        written = envelope_address(address.strip())
    except NotAnAddressError:
        written = address.strip()
    return blake2b(written.lower().encode("utf-8", "surrogatepass"), digest_size=10).digest()


def _cipher(secret: str) -> AESSIV:
    """A key for this alone: what is derived for another purpose from the same secret tells nothing about it (RFC 5869)."""
    derived = HKDF(algorithm=SHA256(), length=_KEY_SIZE, salt=None, info=b"newsdesk envelope ids")
    return AESSIV(derived.derive(secret.encode()))
