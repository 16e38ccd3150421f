"""Links that a reader may follow without logging in: signed, opaque, without an end.

Encryption with a synthetic initialisation vector (the manner of RFC 5297, built from keyed BLAKE2b, RFC 7693): the MAC of
the payload is both the proof and the seed of the key stream that hides the payload. Nobody without a key can read an id
or make a token; the same link always has the same token.
"""

import re
import struct
from base64 import urlsafe_b64encode
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from hmac import compare_digest

#: kind, publication, send, subscriber. With the MAC it is 33 bytes: 44 characters without padding.
_PAYLOAD = struct.Struct(">BIIQ")
_MAC_SIZE = 16
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
    """Signs with the secret key; reads what it or any earlier key signed."""

    def __init__(self, secret_key: str, fallbacks: Iterable[str] = ()) -> None:
        self._keys = tuple(_Key(secret) for secret in (secret_key, *fallbacks))

    def sign(self, kind: LinkKind, publication_id: int, send_id: int, subscriber_id: int) -> str:
        """A token of 44 URL-safe characters. Raises struct.error for ids that are negative or beyond 32 (the
        subscriber's: 64) bits.
        """
        payload = _PAYLOAD.pack(kind, publication_id, send_id, subscriber_id)
        return urlsafe_b64encode(self._keys[0].seal(payload)).decode("ascii")

    def sign_many(self, kind: LinkKind, publication_id: int, send_id: int, subscriber_ids: Sequence[int]) -> list[str]:
        """The tokens of one batch, in order."""
        pack = _PAYLOAD.pack
        payloads = [pack(kind, publication_id, send_id, subscriber_id) for subscriber_id in subscriber_ids]
        return [
            b2a_base64(sealed, newline=False).translate(_URL_SAFE).decode("ascii")
            for sealed in self._keys[0].seal_many(payloads)
        ]

    def read(self, token: str) -> Link | None:
        """What the token says; None when none of the keys made it."""
        if not _SHAPE.fullmatch(token):
            return None
        sealed = a2b_base64(token.replace("-", "+").replace("_", "/"))
        for key in self._keys:
            payload = key.open(sealed)
            if payload is not None:
                return _link(payload)
        return None


class _Key:
    def __init__(self, secret: str) -> None:
        raw = secret.encode()
        self._mac = blake2b(key=_derived(raw, b"nd-link-mac"), digest_size=_MAC_SIZE)
        self._stream = blake2b(key=_derived(raw, b"nd-link-stream"), digest_size=_PAYLOAD.size)

    def seal(self, payload: bytes) -> bytes:
        mac = self._mac.copy()
        mac.update(payload)
        proof = mac.digest()
        return proof + self._hide(proof, payload)

    def seal_many(self, payloads: Iterable[bytes]) -> list[bytes]:
        """`seal` for each; written out, since it is most of what a token costs."""
        mac, stream, size = self._mac.copy, self._stream.copy, _PAYLOAD.size
        number = int.from_bytes
        sealed = []
        for payload in payloads:
            signing = mac()
            signing.update(payload)
            proof = signing.digest()
            hiding = stream()
            hiding.update(proof)
            hidden = number(hiding.digest(), "big") ^ number(payload, "big")
            sealed.append(proof + hidden.to_bytes(size, "big"))
        return sealed

    def open(self, sealed: bytes) -> bytes | None:
        proof = sealed[:_MAC_SIZE]
        payload = self._hide(proof, sealed[_MAC_SIZE:])
        mac = self._mac.copy()
        mac.update(payload)
        return payload if compare_digest(mac.digest(), proof) else None

    def _hide(self, proof: bytes, text: bytes) -> bytes:
        stream = self._stream.copy()
        stream.update(proof)
        hidden = int.from_bytes(stream.digest(), "big") ^ int.from_bytes(text, "big")
        return hidden.to_bytes(_PAYLOAD.size, "big")


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return blake2b(secret, person=purpose, digest_size=64).digest()


def _link(payload: bytes) -> Link | None:
    kind, publication_id, send_id, subscriber_id = _PAYLOAD.unpack(payload)
    try:
        known = LinkKind(kind)
    except ValueError:
        return None
    return Link(kind=known, publication_id=publication_id, send_id=send_id, subscriber_id=subscriber_id)
