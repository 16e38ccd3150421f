"""Links that a reader may follow without logging in: signed, opaque, without an end.

AES-SIV (RFC 5297): deterministic authenticated encryption. Nobody without a key can read an id or make a token; the same
link always has the same token, and a nonce, which there is none of, can never be used twice.

A token is bound to its installation, whose id is authenticated with it (RFC 5297, section 3: associated data) and makes it no longer: another
installation that has the same key and the same ids cannot read it. Those of before are bound to none.
"""

import re
import struct
from base64 import urlsafe_b64encode
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

#: kind, publication, send, subscriber. With the synthetic vector it is 33 bytes: 44 characters without padding.
_PAYLOAD = struct.Struct(">BIIQ")
#: Bytes: AES-256 for the vector and for the text (RFC 5297, section 2.1).
_KEY_SIZE = 64
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_SHAPE = re.compile(r"[A-Za-z0-9_-]{44}")


class LinkKind(IntEnum):
    """What a link is for. The numbers are in mails already sent: never change or reuse one."""

    UNSUBSCRIBE = 1
    PREFERENCES = 2
    CONFIRM = 3


@dataclass(frozen=True, kw_only=True)
class Link:
    kind: LinkKind
    publication_id: int
    #: 0 = no send: a test mail, a confirmation.
    send_id: int
    subscriber_id: int


class TokenSigner:
    """Signs with the secret key for one installation; reads what it or any earlier key signed for that one, or for none."""

    def __init__(self, secret_key: str, fallbacks: Iterable[str] = (), *, installation: str = "") -> None:
        self._ciphers = tuple(_cipher(secret) for secret in (secret_key, *fallbacks))
        self._installation = [installation.encode()] if installation else None

    def sign(self, kind: LinkKind, publication_id: int, send_id: int, subscriber_id: int) -> str:
        """A token of 44 URL-safe characters. Raises struct.error for ids that are negative or beyond 32 (the
        subscriber's: 64) bits.
        """
        payload = _PAYLOAD.pack(kind, publication_id, send_id, subscriber_id)
        return urlsafe_b64encode(self._ciphers[0].encrypt(payload, self._installation)).decode("ascii")

    def sign_many(self, kind: LinkKind, publication_id: int, send_id: int, subscriber_ids: Sequence[int]) -> list[str]:
        """The tokens of one batch, in order."""
        pack, encrypt, installation = _PAYLOAD.pack, self._ciphers[0].encrypt, self._installation
        return [
            b2a_base64(encrypt(pack(kind, publication_id, send_id, subscriber_id), installation), newline=False)
            .translate(_URL_SAFE)
            .decode("ascii")
            for subscriber_id in subscriber_ids
        ]

    def read(self, token: str) -> Link | None:
        """What the token says; None when none of the keys made it, or for another installation."""
        if not may_be_token(token):
            return None
        sealed = a2b_base64(token.replace("-", "+").replace("_", "/"))
        for cipher in self._ciphers:
            for installation in (self._installation, None):
                try:
                    return _link(cipher.decrypt(sealed, installation))
                except InvalidTag:
                    continue
        return None


def may_be_token(text: str) -> bool:
    """Whether it is worth trying to read: it looks like a token, whoever made it."""
    return _SHAPE.fullmatch(text) is not None


def _cipher(secret: str) -> AESSIV:
    """A key for links alone: what is derived for another purpose from the same secret tells nothing about it (RFC 5869)."""
    derived = HKDF(algorithm=SHA256(), length=_KEY_SIZE, salt=None, info=b"newsdesk reader links")
    return AESSIV(derived.derive(secret.encode()))


def _link(payload: bytes) -> Link | None:
    kind, publication_id, send_id, subscriber_id = _PAYLOAD.unpack(payload)
    try:
        known = LinkKind(kind)
    except ValueError:
        return None
    return Link(kind=known, publication_id=publication_id, send_id=send_id, subscriber_id=subscriber_id)
