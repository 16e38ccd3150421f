"""Every text stands out from what is behind it, in the light scheme and in the dark one.

The light colours are those on the elements; the dark ones are what the head's rules for prefers-color-scheme make of
them. Below 4.5 (large text: 3) is a warning, below 3 (nobody reads that with ease) an error: WCAG 2.2, 1.4.3.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any, NamedTuple

from lxml.cssselect import CSSSelector

from composer.checks import css
from composer.checks.colours import Colour, colour, contrast, shown
from composer.checks.context import CheckContext, Problem

ENOUGH, ENOUGH_FOR_LARGE, UNREADABLE = 4.5, 3.0, 3.0
_DARK = re.compile(r"@media[^{]*prefers-color-scheme\s*:\s*dark")
_SIZE = re.compile(r"([\d.]+)px")
_BOLD = {"h1", "h2", "h3", "h4", "h5", "h6", "b", "strong", "th"}
_COLOURS = {"color", "background", "background-color"}
#: An element → what the dark scheme's rules change on it.
Changes = Mapping[Any, Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class _Look:
    text: Colour = (0, 0, 0)
    ground: Colour | None = (255, 255, 255)
    #: Pixels; large text needs less contrast.
    size: float = 16
    bold: bool = False

    @property
    def needs(self) -> float:
        large = self.size >= 24 or (self.bold and self.size >= 18.66)
        return ENOUGH_FOR_LARGE if large else ENOUGH


class _Scheme(NamedTuple):
    name: str
    code: str
    changes: Changes


def check(context: CheckContext) -> Iterator[Problem]:
    (body,) = context.page.xpath("/html/body") or (None,)
    if body is None:
        return
    # Of each pair of colours the first text is named; there may be hundreds of the same.
    schemes: list[_Scheme] = [
        _Scheme("light", "contrast.light", {}),
        _Scheme("dark", "contrast.dark", _dark_rules(context)),
    ]
    for scheme, code, changes in schemes:
        faults: dict[tuple[Colour, Colour], tuple[float, float, str]] = {}
        for look, words in _texts(body, _Look(), changes):
            if look.ground is None or (look.text, look.ground) in faults:
                continue
            ratio = contrast(look.text, look.ground)
            if ratio < look.needs:
                faults[look.text, look.ground] = (ratio, look.needs, words)
        for (text, background), (ratio, needs, words) in faults.items():
            message = (
                f"“{words[:40]}” is {shown(text)} on {shown(background)} in the {scheme} scheme: contrast {ratio:.1f}, "
                f"{needs:g} is needed; choose a {'lighter' if scheme == 'dark' else 'darker'} text colour"
            )
            level = "error" if ratio < UNREADABLE else "warning"
            yield Problem(level="error" if level == "error" else "warning", code=code, message=message)


def _dark_rules(context: CheckContext) -> Changes:
    """What the dark scheme changes, the stronger and later rule last (all are !important)."""
    rules: list[tuple[tuple[int, int, int], int, Any, dict[str, str]]] = []
    for rule in (rule for style in context.styles for rule in css.rules(style)):
        if len(rule.within) != 1 or not _DARK.match(rule.within[0]):
            continue
        changed = {name: value for name, value in rule.declarations if name in _COLOURS}
        for selector in rule.selectors if changed else ():
            rules += [(_strength(selector), len(rules), one, changed) for one in _selected(selector, context.page)]
    changes: dict[Any, dict[str, str]] = {}
    for _, _, element, changed in sorted(rules, key=lambda each: each[:2]):
        changes.setdefault(element, {}).update(changed)
    return changes


def _texts(element: Any, look: _Look, changes: Changes) -> Iterator[tuple[_Look, str]]:
    """Every shown text with its colours."""
    waiting = [(element, look)]
    while waiting:
        one, look = waiting.pop()
        if not isinstance(one.tag, str) or one.tag in {"style", "script"}:
            continue
        style = one.get("style") or ""
        if "display:none" in style.replace(" ", ""):
            continue
        inside = _styled(one.tag, one.get("bgcolor") or "", style, look)
        if one in changes:
            inside = _coloured(tuple(changes[one].items()), inside)
        if inside.size:
            for words in (one.text, *(child.tail for child in one)):
                if words and not words.isspace():
                    yield inside, words.strip()
        waiting += [(child, inside) for child in reversed(one)]


@lru_cache(maxsize=4096)
def _styled(tag: str, background: str, style: str, look: _Look) -> _Look:
    if background:
        look = replace(look, ground=colour(background))
    if tag in _BOLD:
        look = replace(look, bold=True)
    written = css.declarations(style)
    for name, value in written:
        size = _SIZE.match(value) if name == "font-size" else None
        if size:
            look = replace(look, size=float(size[1]))
        elif name == "font-weight":
            look = replace(look, bold=value in {"bold", "600", "700", "800", "900"})
    return _coloured(written, look)


@lru_cache(maxsize=4096)
def _coloured(written: tuple[tuple[str, str], ...], look: _Look) -> _Look:
    for name, value in written:
        if name == "color":
            look = replace(look, text=colour(value) or look.text)
        elif name in {"background", "background-color"} and not value.startswith(("none", "transparent", "inherit")):
            # What stands on a picture cannot be judged.
            pictured = "url(" in value or "gradient(" in value
            look = replace(look, ground=None if pictured else colour(value) or look.ground)
    return look


def _selected(selector: str, page: Any) -> list[Any]:
    compiled = _compiled(selector)
    return list(compiled(page)) if compiled else []


@cache
def _compiled(selector: str) -> Any:
    try:
        return CSSSelector(selector)
    except Exception:  # noqa: BLE001 - a selector lxml does not know (:hover) selects nothing that stands still
        return None


@cache
def _strength(selector: str) -> tuple[int, int, int]:
    ids = len(re.findall(r"#[-\w]+", selector))
    classes = len(re.findall(r"\.[-\w]+|\[[^\]]*\]|(?<!:):(?!:)[-\w]+", selector))
    elements = len(re.findall(r"(?:^|[\s>+~])[a-zA-Z][\w]*|::[-\w]+", selector))
    return ids, classes, elements
