"""In how many ways a suppression can name an address: itself, its domain, or a hash of it, without a key or with ours."""

import hashlib
import re

from subscribers.addresses import spellings, stored_form
from subscribers.erased import address_bytes, erased_forms

#: As other services export lists of people who are not to be known: the lower-case address, hashed.
HASHES = ("md5", "sha1", "sha256")
_LENGTHS = {32: "md5", 40: "sha1", 64: "sha256"}
_HEX = re.compile(r"[0-9a-f]+")


def hashed(address: str) -> list[str]:
    """The address's hashes: "md5:…", "sha1:…" and "sha256:…"."""
    text = address_bytes(address)
    return [f"{name}:{hashlib.new(name, text, usedforsecurity=False).hexdigest()}" for name in HASHES]


def domain_form(address: str) -> str:
    """All addresses of its domain: "@example.com"."""
    return "@" + stored_form(address).rpartition("@")[2]


def own_forms(address: str) -> list[str]:
    """Every way in which a suppression may name this address alone; the address itself as it is compared first."""
    spelt = spellings(address)
    every = [*spelt, *(form for one in spelt for form in (*hashed(one), *erased_forms(one)))]
    return list(dict.fromkeys(every))


def forms(address: str) -> list[str]:
    """The same, and its domain with everybody there."""
    return [*own_forms(address), domain_form(address)]


def as_hash(text: str) -> str:
    """A hexadecimal hash as suppressions name it; "" for what is none."""
    bare = text.strip().lower().rpartition(":")[2]
    return f"{_LENGTHS[len(bare)]}:{bare}" if len(bare) in _LENGTHS and _HEX.fullmatch(bare) else ""
