"""SendGrid's signature: ECDSA P-256 over SHA-256, DER, base64, of the timestamp header and the raw body.

The official helper takes text and decodes what it is given; real bodies are bytes and must be verified as they came.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b, sha256
from typing import BinaryIO

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

log = structlog.get_logger(__name__)

#: Bytes of a body that are in memory at a time.
_PIECE = 64 * 1024


@lru_cache(maxsize=16)
def load_key(public_key: str) -> EllipticCurvePublicKey | None:
    """A key as SendGrid shows it (base64 DER, no PEM armour); None, and a line in the log, when it is not one."""
    try:
        key = load_der_public_key(b64decode(public_key, validate=True))
    except (ValueError, binascii.Error) as error:
        log.error("webhook_key_unusable", key=public_key[:16], error=str(error))  # noqa: TRY400 - the trace says nothing
        return None
    if not isinstance(key, EllipticCurvePublicKey):
        log.error("webhook_key_unusable", key=public_key[:16], error="not an elliptic curve key")
        return None
    return key


_TIMESTAMP = re.compile(r"[0-9]{10}", re.ASCII)


def is_timestamp(text: str) -> bool:
    """Unix seconds from 2001 to 2286: exactly ten digits, since nothing but their number tells where the body begins."""
    return _TIMESTAMP.fullmatch(text) is not None


def is_signed(body: BinaryIO, *, signature: str, timestamp: str, public_keys: Iterable[str]) -> bool:
    """Whether one of the keys signed this body; False for anything malformed, never an error. The file is read from its beginning to its end."""
    try:
        decoded = b64decode(signature, validate=True)
    except ValueError:
        return False
    if not decoded or not is_timestamp(timestamp):
        return False
    digest = _digest(timestamp, body)
    return any(_verifies(key, decoded, digest) for public_key in public_keys if (key := load_key(public_key)))


def _digest(timestamp: str, body: BinaryIO) -> bytes:
    hashed = sha256(timestamp.encode("ascii"))
    body.seek(0)
    while piece := body.read(_PIECE):
        hashed.update(piece)
    return hashed.digest()


def _verifies(key: EllipticCurvePublicKey, signature: bytes, digest: bytes) -> bool:
    try:
        key.verify(signature, digest, ECDSA(Prehashed(SHA256())))
    except InvalidSignature:
        return False
    return True


def call_digest(signature: str, timestamp: str) -> bytes | None:
    """16 bytes of a verified signature and its timestamp; None when it is malformed.

    Only its first number counts: whoever has one signature (r, s) can write (r, n - s), which verifies as well, and
    base64 and DER leave room for other spellings. A second call never has the same r, which is drawn at random.
    """
    try:
        first, _second = decode_dss_signature(b64decode(signature, validate=True))
    except ValueError:
        return None
    return blake2b(f"{timestamp}\0{first}".encode(), digest_size=16).digest()
