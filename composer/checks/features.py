"""Which features a mail uses, by caniemail's names: elements, attributes, CSS properties, units, functions, selectors."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from composer.checks import css
from composer.checks.context import CheckContext

_TAGS = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "html-h1-h6"),
    **dict.fromkeys(("ul", "ol", "li", "dl", "dt", "dd"), "html-lists"),
    **dict.fromkeys(("b", "strong", "i", "em"), "html-strong"),
    **dict.fromkeys(
        (
            "article",
            "aside",
            "details",
            "figcaption",
            "figure",
            "footer",
            "header",
            "main",
            "nav",
            "section",
            "summary",
        ),
        "html-semantics",
    ),
}
_ATTRIBUTES = {
    "aria-describedby", "aria-hidden", "aria-label", "aria-labelledby", "aria-live", "align", "background", "cellpadding",
    "cellspacing", "dir", "height", "hidden", "lang", "required", "role", "srcset", "target", "valign", "width",
}  # fmt: skip
_UNIT = re.compile(r"(?<![\w#.-])-?(?:\d+\.?\d*|\.\d+)(px|em|rem|ex|ch|vh|vw|vmin|vmax|cm|mm|in|pc|pt|%)")
_UNITS = {"%": "percent"}
_FUNCTIONS = {
    "calc(": "css-unit-calc",
    "min(": "css-function-min",
    "max(": "css-function-max",
    "clamp(": "css-function-clamp",
    "light-dark(": "css-function-light-dark",
    "var(": "css-variables",
    "linear-gradient(": "css-linear-gradient",
    "radial-gradient(": "css-radial-gradient",
    "conic-gradient(": "css-conic-gradient",
    "rgb(": "css-rgb",
    "rgba(": "css-rgba",
    "system-ui": "css-sytem-ui",
    "!important": "css-important",
}
_PICTURE = re.compile(r"\.(apng|avif|bmp|gif|heif|ico|jpe?g|png|svg|tiff?|webp)(?:[?#]|$)", re.IGNORECASE)
_MEDIA = ("prefers-color-scheme", "prefers-reduced-motion", "hover", "orientation", "device-pixel-ratio")
#: Properties known under the name of their family.
_FAMILIES = (
    "background", "border", "column", "display", "font", "grid-template", "list-style", "margin", "outline", "overflow",
    "padding", "text-decoration", "transform", "transition",
)  # fmt: skip
_SELECTORS = {
    "css-selector-attribute": r"\[",
    "css-selector-child": r">",
    "css-selector-adjacent-sibling": r"\+",
    "css-selector-general-sibling": r"~",
    "css-selector-id": r"#",
    "css-selector-class": r"\.",
    "css-selector-universal": r"\*",
    "css-selector-descendant": r"[\w\])]\s+[\w.#\[*]",
    "css-selector-chaining": r"[\w\]]\.",
}


def features_used(context: CheckContext) -> frozenset[str]:
    """The features of the HTML, including those caniemail has no word on."""
    slugs: set[str] = set()
    for element in context.page.iter():
        if isinstance(element.tag, str):
            slugs.update(_of_element(element))
    for style in context.styles:
        slugs.update(_of_stylesheet(style))
    return frozenset(slugs)


def _of_element(element: Any) -> Iterator[str]:
    tag = element.tag
    yield _TAGS.get(tag, f"html-{tag}")
    yield from (f"html-{name}" for name in element.keys() if name in _ATTRIBUTES)  # noqa: SIM118 - lxml's elements iterate over children
    for name, value in css.declarations(element.get("style") or ""):
        yield from _of_declaration(name, value)
    href, source = element.get("href") or "", element.get("src") or ""
    if tag == "a" and href.startswith("#"):
        yield "html-anchor-links"
    if tag == "a" and href.startswith("mailto:"):
        yield "html-mailto-links"
    if source.startswith("data:"):
        yield "image-base64"
    picture = _PICTURE.search(source)
    if picture:
        yield f"image-{ {'jpeg': 'jpg', 'tif': 'tiff'}.get(picture[1].lower(), picture[1].lower()) }"
    if tag == "input":
        yield f"html-input-{element.get('type') or 'text'}"
    if tag == "meta" and element.get("name") == "color-scheme":
        yield "html-meta-color-scheme"


def _of_stylesheet(style: str) -> Iterator[str]:
    for rule in css.rules(style):
        for at_rule in rule.within:
            name = re.match(r"@([-\w]+)", at_rule)
            yield f"css-at-{name[1]}" if name else ""
            yield from (f"css-at-media-{feature}" for feature in _MEDIA if feature in at_rule)
        if len(rule.within) > 1:
            yield "css-nesting"
        for selector in rule.selectors:
            yield from _of_selector(selector)
        for name_, value in rule.declarations:
            yield from _of_declaration(name_, value)


@cache
def _of_selector(selector: str) -> tuple[str, ...]:
    slugs = [slug for slug, sign in _SELECTORS.items() if re.search(sign, selector)]
    slugs += [f"css-pseudo-element-{name}" for name in re.findall(r"::([-\w]+)", selector)]
    slugs += [f"css-pseudo-class-{name}" for name in re.findall(r"(?<!:):([-\w]+)", selector)]
    return tuple(slugs)


@cache
def _of_declaration(name: str, value: str) -> tuple[str, ...]:
    if name.startswith(("mso-", "-webkit-", "-ms-", "-moz-")):
        return ()
    slugs = [f"css-{name}"]
    family = next((one for one in _FAMILIES if name.startswith(f"{one}-")), "")
    if family:
        slugs.append(f"css-{family}")
    if name == "border-radius" or name.endswith("-radius"):
        slugs.append("css-border-radius")
    if name in {"left", "right", "top", "bottom"}:
        slugs.append("css-left-right-top-bottom")
    shown = value.partition(" ")[0].removeprefix("inline-")
    if name == "display" and shown in {"flex", "grid", "none"}:
        slugs.append(f"css-display-{shown}")
    slugs += [f"css-unit-{_UNITS.get(unit, unit)}" for unit in _UNIT.findall(value)]
    slugs += [slug for sign, slug in _FUNCTIONS.items() if sign in value]
    return tuple(slugs)
