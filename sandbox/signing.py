"""The key that signs event webhooks: ECDSA P-256 over timestamp + body, as SendGrid's Signed Event Webhook."""

import os
from base64 import b64encode
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from sandbox.private import write_private

SIGNATURE_HEADER = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP_HEADER = "X-Twilio-Email-Event-Webhook-Timestamp"


class SigningKey:
    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private = private
        spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        #: As SendGrid shows it: base64 of the DER, without PEM armour.
        self.public = b64encode(spki).decode()

    @classmethod
    def kept_in(cls, home: Path) -> "SigningKey":
        """The key of this home, made at first; its public half is written beside it."""
        path = home / "webhook-private-key.pem"
        if path.exists():
            private = load_pem_private_key(path.read_bytes(), password=None)
            if not isinstance(private, ec.EllipticCurvePrivateKey):
                raise ValueError(f"{path}: not an elliptic curve key")
        else:
            private = ec.generate_private_key(ec.SECP256R1())
            pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            temporary = path.with_suffix(".new")
            write_private(temporary, pem)
            os.replace(temporary, path)  # noqa: PTH105 -- atomic, whole or not at all
        key = cls(private)
        (home / "webhook-public-key").write_text(key.public + "\n")
        return key

    def headers(self, body: bytes, *, timestamp: int) -> dict[str, str]:
        """The two signature headers for a POST of `body` at `timestamp`, in unix seconds."""
        signature = self._private.sign(str(timestamp).encode() + body, ec.ECDSA(hashes.SHA256()))
        return {SIGNATURE_HEADER: b64encode(signature).decode(), TIMESTAMP_HEADER: str(timestamp)}
