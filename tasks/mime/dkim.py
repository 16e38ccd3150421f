"""DKIM signatures (RFC 6376), rsa-sha256 and ed25519-sha256 (RFC 8463), canonicalised relaxed/simple.

Our bodies are CRLF, without white space at a line's end and with a single last line end, so that "simple" is the body as
it stands. The key is read once.
"""

import base64
import re
import time
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from newsdesk.core.environment import DkimKey

#: Signed when present; both unsubscribe headers must be covered (RFC 8058 §4).
_SIGNED = frozenset(
    [
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "reply-to",
        "list-id",
        "feedback-id",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "mime-version",
        "content-type",
    ]
)
_FOLDS = re.compile(rb"\r\n(?=[ \t])")
_SPACES = re.compile(rb"[ \t]+")


class Signer:
    """Signs whole messages with one key. Raises ValueError or TypeError for a key it cannot use."""

    def __init__(self, key: DkimKey) -> None:
        private = load_pem_private_key(key.private_key.encode(), password=None)
        if not isinstance(private, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
            raise TypeError("DKIM knows RSA and Ed25519 keys only")
        self._private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey = private
        self._algorithm = "rsa-sha256" if isinstance(private, rsa.RSAPrivateKey) else "ed25519-sha256"
        self._domain = key.domain
        self._selector = key.selector

    def header(self, message: bytes) -> bytes:
        """The DKIM-Signature header with its CRLF, to be put before the message."""
        head, _, body = message.partition(b"\r\n\r\n")
        fields = [
            (name.lower(), name + b":" + content)
            for name, _, content in (line.partition(b":") for line in _FOLDS.sub(b"", head).split(b"\r\n"))
            if name.lower().decode() in _SIGNED
        ]
        names = ":".join(name.decode() for name, _ in fields)
        body_hash = base64.b64encode(sha256(body).digest()).decode()
        unsigned = (
            f"v=1; a={self._algorithm}; c=relaxed/simple; d={self._domain}; s={self._selector};\r\n"
            f" t={int(time.time())}; h={names};\r\n bh={body_hash};\r\n b="
        ).encode()
        signed = b"".join(_relaxed(field) + b"\r\n" for _, field in fields)
        signed += _relaxed(b"dkim-signature:" + _FOLDS.sub(b"", unsigned))
        signature = base64.b64encode(self._sign(signed))
        folded = b"\r\n ".join(signature[at : at + 72] for at in range(0, len(signature), 72))
        return b"DKIM-Signature: " + unsigned + folded + b"\r\n"

    def _sign(self, data: bytes) -> bytes:
        if isinstance(self._private, rsa.RSAPrivateKey):
            return self._private.sign(data, padding.PKCS1v15(), hashes.SHA256())
        # RFC 8463 §3: the hash of the data is what is signed.
        return self._private.sign(sha256(data).digest())


def _relaxed(field: bytes) -> bytes:
    name, _, content = field.partition(b":")
    return name.strip().lower() + b":" + _SPACES.sub(b" ", content).strip()
