"""Signatures, checked by a verifier that is not ours: dkimpy, which asks for the key as it would ask DNS."""

import base64
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from newsdesk.core.environment import DkimKey
from tasks.mime.dkim import Signer
from tasks.mime.messages import encode_messages
from tests.tasks.providers.messages import encode, make_recipient

KEYS: dict[str, Any] = {
    "rsa-sha256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ed25519-sha256": ed25519.Ed25519PrivateKey.generate(),
}
#: RFC 8058 §4 wants both unsubscribe headers covered; the others are what a reader sees or answers to.
COVERED = {b"from", b"to", b"subject", b"date", b"message-id", b"list-unsubscribe", b"list-unsubscribe-post"}


def signed_message(algorithm: str) -> bytes:
    pem = KEYS[algorithm].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    signer = Signer(DkimKey(domain="example.com", selector="nd1", private_key=pem))

    class Encoder:
        def encode(self, *args: Any, **fields: Any) -> Any:
            return encode_messages(*args, **fields, signer=signer)

    recipient = make_recipient(1, name="Søren  Kierkegaard")
    body = encode(Encoder(), [recipient], subject="A subject that is long enough to be folded, with 水 in it, twice 水")
    return bytes(body.join(body.messages[0]))


def key_record(algorithm: str) -> bytes:
    """The TXT record of the public key (RFC 6376 §3.6.1; RFC 8463 §4: Ed25519's is the bare 32 bytes)."""
    public = KEYS[algorithm].public_key()
    if algorithm == "rsa-sha256":
        kind, raw = b"rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        kind, raw = b"ed25519", public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return b"v=DKIM1; k=" + kind + b"; p=" + base64.b64encode(raw)


def is_verified(message: bytes, record: bytes) -> bool:
    def published(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"nd1._domainkey.example.com."
        return record

    return bool(dkim.verify(message, dnsfunc=published))


def tags(message: bytes) -> dict[bytes, bytes]:
    """The signature's tags, as dkimpy reads them."""
    value = dkim.DKIM(message).headers[0][1]
    found: dict[bytes, bytes] = dkim.parse_tag_value(value)
    return found


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_message_is_signed_with_both_unsubscribe_headers_covered(algorithm: str) -> None:
    message = signed_message(algorithm)

    assert is_verified(message, key_record(algorithm))
    signature = tags(message)
    assert (signature[b"a"], signature[b"c"]) == (algorithm.encode(), b"relaxed/simple")
    assert set(signature[b"h"].split(b":")) >= COVERED
    assert all(len(line) <= 998 for line in message.split(b"\r\n"))


@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize(
    ("before", "after"),
    [(b"To: ", b"To: x"), (b"reader1@", b"reader2@"), (b"One-Click", b"Two-Click"), (b"\r\n--", b"\r\n \r\n--")],
    ids=["To", "address", "List-Unsubscribe-Post", "body"],
)
def test_a_changed_message_is_not_verified(algorithm: str, before: bytes, after: bytes) -> None:
    message = signed_message(algorithm)
    assert before in message

    assert not is_verified(message.replace(before, after, 1), key_record(algorithm))


def test_another_key_does_not_verify_it() -> None:
    stranger = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    record = b"v=DKIM1; k=ed25519; p=" + base64.b64encode(stranger)
    assert not is_verified(signed_message("ed25519-sha256"), record)


@pytest.mark.parametrize("algorithm", KEYS)
def test_relays_may_fold_and_space_headers_anew(algorithm: str) -> None:
    """What "relaxed" is for (RFC 6376 §3.4.2)."""
    message = signed_message(algorithm).replace(b"List-Unsubscribe-Post: ", b"list-unsubscribe-post:\r\n\t  ", 1)

    assert is_verified(message, key_record(algorithm))


def test_the_body_ends_as_simple_canonicalisation_wants_it() -> None:
    message = signed_message("ed25519-sha256")
    assert message.endswith(b"--\r\n")
    assert not message.endswith(b"\r\n\r\n")
