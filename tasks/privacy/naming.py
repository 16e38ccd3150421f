"""An address as it may stand in a text, and in nobody else's: ada@example.com is not in bada@example.com."""

import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote

#: What stands in the place of an address that is erased.
ERASED = "[erased]"
#: What another person's address becomes where only one person's data may be seen.
ANOTHER = "[another address]"
_ADDRESS = re.compile(r"[^\s@<>\"(),;:\\]+@[^\s@<>\"'(),;:\\]+\.[^\s@<>\"'(),;:\\.]+")
#: Behind it an address begins: also behind an encoded character ("%3D"), the "u0022" of a JSON text, and a quote that is none
#: of its own.
_BEFORE = (
    r"(?:(?<![\w.!#$&'*+/?^`{|}~%-])|(?<=%[0-9a-f]{2})|(?<=\\u[0-9a-f]{4})|(?<=\\[nrt])|(?<=^')|(?<=[\s(\[{<:=,;]'))"
)
_AFTER = r"(?![\w-]|\.\w)"


class Naming:
    """Finds one address in all its spellings: plain, in a URL, in HTML, in JSON."""

    def __init__(self, *addresses: str) -> None:
        """`addresses`: the same one as different places write it."""
        spellings = {spelling for address in addresses if address for spelling in _spellings(address)}
        #: Longest first, so that none hides in another.
        self.spellings = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
        found = "|".join(map(re.escape, self.spellings))
        # Bytes know no case outside ASCII: there the domain alone is looked for first.
        self._bytes = {(text if text.isascii() else text.rpartition("@")[2]).lower().encode() for text in spellings}
        self._pattern = re.compile(f"{_BEFORE}(?:{found}){_AFTER}", re.IGNORECASE)

    def names(self, text: str) -> bool:
        return self._pattern.search(text) is not None

    def names_in_bytes(self, data: bytes) -> bool:
        lower = data.lower()
        # Most lines name nobody: decoding each of them would take ten times as long.
        return any(part in lower for part in self._bytes) and self.names(data.decode("utf-8", "surrogateescape"))

    def erased(self, text: str) -> str:
        """The text with `ERASED` in the address's place."""
        return self._pattern.sub(ERASED, text)

    def masked(self, data: bytes) -> bytes:
        """The same bytes, as many, with an x for each of the address's: a file that others have open keeps its length."""
        text = data.decode("utf-8", "surrogateescape")
        masked = self._pattern.sub(lambda found: "x" * len(found[0].encode("utf-8", "surrogateescape")), text)
        return masked.encode("utf-8", "surrogateescape")

    def alone(self, text: str) -> str:
        """The text without anybody else's address."""
        return _ADDRESS.sub(lambda found: found[0] if self.names(found[0]) else ANOTHER, text)

    def likes(self) -> list[str]:
        """Patterns of LIKE for a lower-case text: whatever names the address is like one of them."""
        return [f"%{_like(spelling.lower())}%" for spelling in self.spellings]

    def likes_of_bytes(self) -> list[str]:
        """The same for ``lower(encode(bytes, 'escape'))``."""
        return [f"%{_like(_escaped(spelling))}%" for spelling in self.spellings]


def strings(value: object) -> Iterable[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def _spellings(address: str) -> set[str]:
    lower = address.strip().lower()
    plain = {address.strip(), lower}
    in_json = {json.dumps(text)[1:-1] for text in plain}
    # Programs differ in what they encode in a URL beside the @.
    return (
        plain | in_json | {lower.replace("@", "%40"), quote(lower, safe=""), quote(lower, safe="+"), html.escape(lower)}
    )


def _like(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def _escaped(text: str) -> str:
    """As PostgreSQL writes bytes in its format "escape", in lower case."""
    shown = (rf"\{byte:03o}" if byte >= 128 or not byte else chr(byte) for byte in text.encode())
    return "".join(r"\\" if character == "\\" else character for character in shown).lower()
