"""Colours by WCAG 2: how well they can be told apart, and the nearest shade that can be read."""

import re
from colorsys import hls_to_rgb, rgb_to_hls

#: WCAG 2.2 success criterion 1.4.3, level AA, for text of every size.
READABLE = 4.5
WHITE, BLACK = "#ffffff", "#000000"
_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
_STEPS = 50


def is_colour(text: str) -> bool:
    """Whether it is written as #rgb or #rrggbb, the two forms that every mail client knows."""
    return bool(_HEX.fullmatch(text))


def contrast(one: str, other: str) -> float:
    """The ratio of their luminances, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def mixed(colour: str, other: str, share: float) -> str:
    """The colour with this share (0 to 1) of the other in it."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def on(background: str, *wanted: str) -> str:
    """The first of the wanted colours that can be read on the ground; else black or white, one of which always can."""
    for colour in wanted:
        if contrast(colour, background) >= READABLE:
            return colour
    return max((WHITE, BLACK), key=lambda colour: contrast(colour, background))


def readable(colour: str, *grounds: str) -> str:
    """The colour itself, or the nearest darker or lighter shade of it that can be read on every one of the grounds.

    Where no shade can (a black and a white ground at once), black or white, whichever is read better.
    """
    end = 0.0 if min(map(_luminance, grounds)) > 0.18 else 1.0
    for step in range(_STEPS + 1):
        shade = _shade(colour, end, step / _STEPS) if step else colour
        if all(contrast(shade, background) >= READABLE for background in grounds):
            return shade
    return max((WHITE, BLACK), key=lambda colour: min(contrast(colour, background) for background in grounds))


def _shade(colour: str, end: float, share: float) -> str:
    """The colour with its lightness moved towards 0 or 1; hue and saturation stay, or it would look washed out."""
    hue, lightness, saturation = rgb_to_hls(*(channel / 255 for channel in _channels(colour)))
    shares = hls_to_rgb(hue, lightness + (end - lightness) * share, saturation)
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in shares)


def _channels(colour: str) -> tuple[int, int, int]:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def _luminance(colour: str) -> float:
    """Relative luminance by WCAG 2, 0 to 1."""
    shares = (channel / 255 for channel in _channels(colour))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
