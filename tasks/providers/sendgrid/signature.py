"""SendGrid's signature: ECDSA P-256 over SHA-256, DER, base64, of the timestamp header and the raw body.

The official helper takes text and decodes what it is given; real bodies are bytes and must be verified as they came.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterable
from functools import lru_cache

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

log = structlog.get_logger(__name__)


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


def is_signed(body: bytes, *, signature: str, timestamp: str, public_keys: Iterable[str]) -> bool:
    """Whether one of the keys signed this body; False for anything malformed, never an error."""
    try:
        decoded = b64decode(signature, validate=True)
        signed = timestamp.encode("ascii") + body
    except ValueError:
        return False
    if not decoded or not timestamp:
        return False
    return any(_verifies(key, decoded, signed) for public_key in public_keys if (key := load_key(public_key)))


def _verifies(key: EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True
