"""Whether every text of a mail can be read, in the light scheme and in the dark one, worked out from its HTML.

The light scheme is what stands on the elements; the dark one adds the rules of `@media (prefers-color-scheme:dark)`,
all of which are `!important`, by their specificity.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from cssselect import parse
from lxml import html as lxml_html
from lxml.cssselect import CSSSelector

from composer.colours import READABLE, contrast

_DARK = re.compile(r"@media \(prefers-color-scheme:dark\)\{((?:[^{}]+\{[^{}]*\})*)\}")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_COLOUR = re.compile(r"(?:^|;)\s*(color|background(?:-color)?)\s*:\s*(#[0-9a-f]{3,6})\b", re.IGNORECASE)
_UNSEEN = frozenset({"script", "style", "title", "head"})

Scheme = Literal["light", "dark"]
_Colours = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Faint:
    """A text that cannot be told well enough from what it stands on."""

    scheme: Scheme
    text: str
    colour: str
    ground: str
    #: 1 to 21; less than 4.5.
    ratio: float

    def __str__(self) -> str:
        return f"“{self.text[:40]}” in {self.colour} on {self.ground} has contrast {self.ratio:.1f}:1 in the {self.scheme} scheme"


def faint(html: str) -> Iterator[Faint]:
    """Every text with a contrast of less than 4.5:1 (WCAG 2.2, 1.4.3), once for each pair of colours and scheme."""
    page = lxml_html.document_fromstring(html.encode(), parser=lxml_html.HTMLParser(encoding="utf-8"))
    dark = _overridden(page, "".join(_DARK.findall(html)))
    schemes: tuple[tuple[Scheme, dict[Any, _Colours]], ...] = (("light", {}), ("dark", dark))
    for scheme, overriding in schemes:
        seen: set[tuple[str, str]] = set()
        for text, colour, background in _texts(page.find("body"), {"color": "#000", "ground": "#fff"}, overriding):
            ratio = contrast(colour, background)
            if ratio < READABLE and (colour, background) not in seen:
                seen.add((colour, background))
                yield Faint(scheme=scheme, text=text, colour=colour, ground=background, ratio=ratio)


def _texts(element: Any, inherited: _Colours, overriding: dict[Any, _Colours]) -> Iterator[tuple[str, str, str]]:
    if not isinstance(element.tag, str) or element.tag in _UNSEEN:
        return
    style = element.get("style") or ""
    if "display:none" in style.replace(" ", ""):
        return
    colours = {**inherited, **_named(style), **overriding.get(element, {})}
    shown = [element.text or "", *(child.tail or "" for child in element)]
    if element.tag == "img":
        shown.append(element.get("alt") or "")
    for text in shown:
        if text.strip(" \n\t\u200c\u00a0"):
            yield " ".join(text.split()), colours["color"], colours["ground"]
    for child in element:
        yield from _texts(child, colours, overriding)


def _named(style: str) -> _Colours:
    colours = _COLOUR.findall(style)
    return {("color" if name.lower() == "color" else "ground"): colour for name, colour in colours}


def _overridden(page: Any, css: str) -> dict[Any, _Colours]:
    """Element → what the rules set on it; the most specific one wins, then the last."""
    rules = []
    for place, (selectors, body) in enumerate(_RULE.findall(css)):
        for selector in selectors.split(","):
            matcher, specificity = _matcher(selector.strip())
            rules.append((specificity, place, matcher, _named(body)))
    result: dict[Any, _Colours] = {}
    for _, _, matcher, colours in sorted(rules, key=lambda rule: rule[:2]):
        for element in matcher(page):
            result.setdefault(element, {}).update(colours)
    return result


@lru_cache(maxsize=500)
def _matcher(selector: str) -> tuple[Any, tuple[int, int, int]]:
    (parsed,) = parse(selector)
    return CSSSelector(selector, translator="html"), parsed.specificity()
