"""How somebody who was erased is recognised: by a keyed hash of the address, which tells nothing without the key.

HMAC-SHA256 (RFC 2104) with a key derived from the secret key for this alone (HKDF, RFC 5869), as the links of readers have
theirs. Hashes by earlier secret keys are recognised for as long as those stand in SECRET_KEY_FALLBACKS. Rows of the first
versions hold a plain SHA-256, and are honoured as well.
"""

import hashlib
import hmac
from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from subscribers.models import Suppression
from subscribers.sql import SqlCondition

KEYED = "hmac:"
KEYLESS = "sha256:"
_BLOCK = 64


def erased_address(address: str) -> str:
    """What is kept of an erased reader's address, by the present key."""
    return _keyed(_keys()[0], address)


def erased_forms(address: str) -> list[str]:
    """Every form in which an erased reader's address may be kept: by each key, and without one."""
    keyless = KEYLESS + hashlib.sha256(address_bytes(address)).hexdigest()
    return [*(_keyed(key, address) for key in _keys()), keyless]


def is_form(text: str) -> bool:
    """Whether it is such a form already, and no address."""
    return text.startswith((KEYED, KEYLESS))


def is_erased(address: str) -> bool:
    """Whether the owner of this address asked to be erased."""
    return Suppression.objects.filter(reason=Suppression.Reason.ERASED, address__in=erased_forms(address)).exists()


def sql_forms(address: str) -> list[tuple[SqlCondition, str]]:
    """The same in SQL, of an expression for the lower-case address: each form with a condition that rows of it exist.

    The condition asks one small index (the partial one over erased addresses), and nothing is hashed where it is false.
    """
    keyless = SqlCondition(f"'{KEYLESS}' || encode(sha256(convert_to({address}, 'UTF8')), 'hex')")
    return [(keyless, _exist(KEYLESS)), *((form, _exist(KEYED)) for form in sql_keyed_forms(address))]


def sql_keyed_forms(address: str) -> list[SqlCondition]:
    """The keyed hashes alone, by each key, in SQL, of an expression for the lower-case address."""
    forms = []
    for key in _keys():
        inner, outer = _pads(key)
        hashed = f"'{KEYED}' || encode(sha256(%s::bytea || sha256(%s::bytea || convert_to({address}, 'UTF8'))), 'hex')"
        forms.append(SqlCondition(hashed, (outer, inner)))
    return forms


def address_bytes(address: str) -> bytes:
    """What is hashed of an address, by whatever hash: the address in lower case, without blanks around it."""
    return address.strip().lower().encode("utf-8", "surrogatepass")


def _exist(prefix: str) -> str:
    return f"EXISTS (SELECT 1 FROM subscribers_suppression WHERE reason = 'erased' AND address LIKE '{prefix}%%')"  # noqa: S608


def _keys() -> tuple[bytes, ...]:
    return tuple(_derived(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=64)
def _derived(secret: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"newsdesk erased readers")
    return derived.derive(secret.encode())


def _keyed(key: bytes, address: str) -> str:
    return KEYED + hmac.new(key, address_bytes(address), hashlib.sha256).hexdigest()


def _pads(key: bytes) -> tuple[bytes, bytes]:
    """The key as HMAC mixes it in: PostgreSQL has SHA-256, but no HMAC of its own."""
    padded = key.ljust(_BLOCK, b"\0")
    return bytes(byte ^ 0x36 for byte in padded), bytes(byte ^ 0x5C for byte in padded)
