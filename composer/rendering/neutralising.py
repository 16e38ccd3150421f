"""Content as it may be rendered: text that looks like a tag of the bytes stays text, and no address runs a script.

The bytes hold their merge tags as `-ndEmail-` (`composer.merge_tags`). Whoever writes just that in a story means the letters.
"""

import re
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from composer.content import Image
from composer.merge_tags import INVISIBLE
from composer.sanitising import followable, rich_text

#: Tags may stand between: they are gone from the text part.
_BETWEEN = "(?:<[^>]*>)*"
#: Also where the letters become a tag with what a merge tag beside them stands for.
_LITERAL = re.compile(
    rf"-(?={_BETWEEN}n{_BETWEEN}d{_BETWEEN}(?:[A-Z]|{{{{))|(?<=}})(?={_BETWEEN}n{_BETWEEN}d{_BETWEEN}[A-Z])"
)
_LITERAL_IN_ADDRESS = re.compile(r"-(?=nd(?:[A-Z]|\{\{))|(?<=\}\})n(?=d[A-Z])")
_HREF = re.compile(r'(?<= href=")[^"]*')
_ADDRESSES = frozenset({"url", "source_url", "web_url", "website"})

Content = TypeVar("Content")


def neutralised(content: Content) -> Content:
    """The same content (any dataclass of `composer.content`). Addresses that cannot be followed are empty in it.

    `composer.checks.links` names those; here they are left out, since a preview is shown on the desk's own origin.
    """
    changed = {}
    for field in fields(content):  # type: ignore[arg-type]
        value = getattr(content, field.name)
        new = _neutralised(field.name, value, is_image=isinstance(content, Image))
        if new is not value:
            changed[field.name] = new
    return replace(content, **changed) if changed else content  # type: ignore[type-var]


def _neutralised(name: str, value: Any, *, is_image: bool) -> Any:
    if is_dataclass(value):
        return neutralised(value)
    if isinstance(value, tuple):
        new = tuple(neutralised(each) if is_dataclass(each) else each for each in value)
        return value if all(one is other for one, other in zip(new, value, strict=True)) else new
    if not isinstance(value, str):
        return value
    if name in _ADDRESSES:
        return _address(value) if is_image or followable(value) else ""
    if "nd" not in value:
        return value
    return _html(value) if name.endswith("_html") else _text(value)


def _text(text: str) -> str:
    return _LITERAL.sub(lambda found: found[0] + INVISIBLE, text)


def _address(url: str) -> str:
    return _LITERAL_IN_ADDRESS.sub(lambda found: f"%{ord(found[0]):X}", url)


def _html(html: str) -> str:
    # Cleaned first: `&#45;` may stand for the hyphen.
    clean = rich_text(html)
    if not _LITERAL.search(clean):
        return html
    return _text(_HREF.sub(lambda href: _address(href[0]), clean))
