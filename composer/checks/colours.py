"""Colours of CSS and how well they tell apart (WCAG 2.2, success criterion 1.4.3)."""

import re
from functools import cache

Colour = tuple[int, int, int]
_NAMED: dict[str, Colour] = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "red": (255, 0, 0),
    "green": (0, 128, 0),
    "blue": (0, 0, 255),
    "gray": (128, 128, 128),
    "grey": (128, 128, 128),
    "silver": (192, 192, 192),
    "navy": (0, 0, 128),
}
_FUNCTION = re.compile(r"rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)\s*(?:[,/]\s*([\d.]+%?)\s*)?\)")
_IN_A_VALUE = re.compile(r"#[0-9a-fA-F]{3,8}\b|rgba?\([^)]*\)|[a-zA-Z]+")


@cache
def colour(value: str) -> Colour | None:
    """The opaque colour a value names first ("#fff", "#fff url(…)"); None when there is none."""
    for word in _IN_A_VALUE.findall(value.lower().replace("!important", "")):
        if word in _NAMED:
            return _NAMED[word]
        if word.startswith("#") and len(word) in {4, 7}:
            digits = word[1:] if len(word) == 7 else "".join(digit * 2 for digit in word[1:])
            return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
        match = _FUNCTION.fullmatch(word)
        if match and match[4] in {None, "1", "100%"}:
            return int(match[1]), int(match[2]), int(match[3])
    return None


@cache
def contrast(first: Colour, second: Colour) -> float:
    """From 1 (the same) to 21 (black on white)."""
    brighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def shown(value: Colour) -> str:
    return "#" + "".join(f"{part:02x}" for part in value)


def _luminance(value: Colour) -> float:
    red, green, blue = (_linear(part / 255) for part in value)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
