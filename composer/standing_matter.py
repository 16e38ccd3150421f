"""Standing matter: parts of an edition's frame that say word for word what the last edition said, until somebody changes
one or says that it stays.
"""

from collections.abc import Mapping
from typing import Any

from composer.models import Edition
from composer.sanitising import TextTooLargeError, rich_text

#: Part, as the checks call it → its fields.
PARTS: Mapping[str, tuple[str, ...]] = {
    "preheader": ("preheader",),
    "introduction": ("introduction",),
    "closing": ("closing_heading", "closing"),
    "call to action": ("call_to_action_label", "call_to_action_url"),
}
_RICH = frozenset({"introduction", "closing"})


def untouched(edition: Edition, last: Edition | None) -> frozenset[str]:
    """The parts that are the last edition's and were not confirmed (`Edition.kept`). An empty part is nobody's."""
    if last is None:
        return frozenset()
    kept = {part.strip() for part in edition.kept.split(",")}
    return frozenset(part for part, fields in PARTS.items() if part not in kept and _is_carried(edition, last, fields))


def _is_carried(edition: Edition, last: Edition, fields: tuple[str, ...]) -> bool:
    said = [_words(edition, field) for field in fields]
    return any(said) and said == [_words(last, field) for field in fields]


def _words(edition: Edition, field: str) -> str:
    written: Any = getattr(edition, field) or ""
    if field not in _RICH:
        return str(written).strip()
    try:
        # The desk's editor gives every paragraph a key of its own, which the sanitiser drops.
        return rich_text(written).strip()
    except TextTooLargeError:
        return str(written)
