"""Signatures, checked by reading RFC 6376 once more and independently of what made them."""

import base64
import re
from hashlib import sha256
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from newsdesk.core.environment import DkimKey
from tasks.mime.dkim import Signer
from tasks.mime.messages import encode_messages
from tests.tasks.providers.messages import encode, make_recipient

KEYS: dict[str, Any] = {
    "rsa-sha256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ed25519-sha256": ed25519.Ed25519PrivateKey.generate(),
}


def signed_message(algorithm: str) -> bytes:
    pem = KEYS[algorithm].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    signer = Signer(DkimKey(domain="example.com", selector="nd1", private_key=pem))

    class Encoder:
        def encode(self, *args: Any, **fields: Any) -> Any:
            return encode_messages(*args, **fields, signer=signer)

    recipient = make_recipient(1, name="Søren  Kierkegaard")
    body = encode(Encoder(), [recipient], subject="A subject that is long enough to be folded, with 水 in it, twice 水")
    return bytes(body.join(body.messages[0]))


def verify(message: bytes, public: Any) -> dict[str, str]:
    """The signature's tags. Raises InvalidSignature, AssertionError."""
    head, _, body = message.partition(b"\r\n\r\n")
    fields = re.split(rb"\r\n(?![ \t])", head)
    signature = fields[0]
    tags = {
        name.strip(): re.sub(r"\s+", "", value)
        for name, _, value in (tag.partition("=") for tag in signature.partition(b":")[2].decode().split(";"))
    }
    assert tags["c"] == "relaxed/simple"
    assert tags["bh"] == base64.b64encode(sha256(body).digest()).decode()
    available = {field.partition(b":")[0].lower().decode(): field for field in fields[1:]}
    data = b"".join(_relaxed(available[name]) + b"\r\n" for name in tags["h"].split(":"))
    data += _relaxed(re.sub(rb"(;\s*b=)[^;]*$", rb"\1", signature))
    raw = base64.b64decode(tags["b"])
    if tags["a"] == "rsa-sha256":
        public.verify(raw, data, padding.PKCS1v15(), hashes.SHA256())
    else:
        public.verify(raw, sha256(data).digest())
    return tags


def _relaxed(field: bytes) -> bytes:
    name, _, value = field.partition(b":")
    return name.lower().strip() + b":" + re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip()


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_message_is_signed_with_both_unsubscribe_headers_covered(algorithm: str) -> None:
    message = signed_message(algorithm)

    tags = verify(message, KEYS[algorithm].public_key())

    assert (tags["a"], tags["d"], tags["s"]) == (algorithm, "example.com", "nd1")
    assert {"from", "to", "subject", "date", "message-id", "list-unsubscribe", "list-unsubscribe-post"} <= set(
        tags["h"].split(":")
    )
    assert all(len(line) <= 998 for line in message.split(b"\r\n"))


@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize(("before", "after"), [(b"reader1@", b"reader2@"), (b"One-Click", b"Two-Click")])
def test_a_changed_header_breaks_the_signature(algorithm: str, before: bytes, after: bytes) -> None:
    with pytest.raises(InvalidSignature):
        verify(signed_message(algorithm).replace(before, after, 1), KEYS[algorithm].public_key())


def test_the_body_ends_as_simple_canonicalisation_wants_it() -> None:
    message = signed_message("ed25519-sha256")
    assert message.endswith(b"--\r\n")
    assert not message.endswith(b"\r\n\r\n")
