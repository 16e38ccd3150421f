"""Changing the tags of finished markup without touching its text, which may look like an attribute."""

import re
from collections.abc import Callable

#: In markup that a serialiser wrote, “<” in text and in attributes is “&lt;”.
_TAG = re.compile(r"<[a-zA-Z][^<>]*>")


def in_tags(html: str, change: Callable[[str], str]) -> str:
    """The markup with `change` applied to each start tag, those of conditional comments included."""
    return _TAG.sub(lambda tag: change(tag[0]), html)
