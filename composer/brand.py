"""What makes a mail look like its sender: logo, accent colour, fonts, corners. A theme has its own; a publication's win.

An accent colour is chosen without thought of what will stand on it. Its shades are worked out here, for both schemes,
so that whatever the theme writes in them or on them can be read: contrast ≥ 4.5:1 (WCAG 2.2, 1.4.3).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from composer.colours import BLACK, READABLE, WHITE, contrast, is_colour, mixed, on, readable
from composer.content import Brand, Image
from newsdesk.core.errors import InputError

#: Colours a theme must name for each scheme; it may name more.
ROLES = ("page", "paper", "box", "fix", "line", "ink", "text", "muted")
#: What a theme writes text on. The accent has to be readable on all of them.
GROUNDS = ("page", "paper", "box", "fix")
#: Worked out of the accent.
DERIVED = ("accent", "plate", "on-plate", "band", "on-band", "on-band-soft")

MAX_RADIUS = 32
GENERIC_FONTS = ("serif", "sans-serif", "monospace", "cursive", "system-ui")
_FONTS = re.compile(r"[A-Za-z0-9 ,'-]{3,200}")


class BrandError(InputError, ValueError):
    """A brand setting that cannot be used; the message names it, what it is and what it should be."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """A theme's brand with the publication's put over it, resolved for both schemes."""

    logo: Image | None
    text_font: str
    heading_font: str
    #: Pixels.
    radius: int
    light: Mapping[str, str]
    dark: Mapping[str, str]

    def value(self, name: str, *, dark: bool = False) -> str:
        """What `var(--name)` stands for in a theme's stylesheet. Raises KeyError."""
        own = {"radius": f"{self.radius}px", "text-font": self.text_font, "heading-font": self.heading_font}
        return own[name] if name in own else (self.dark if dark else self.light)[name]


def problem(brand: Brand) -> str:
    """What is wrong with these settings and what to write instead; empty when nothing is."""
    if brand.accent and not is_colour(brand.accent):
        return f"the accent colour “{brand.accent}” is not a colour such as #a3341f"
    for what, fonts in (("text font", brand.text_font), ("heading font", brand.heading_font)):
        if fonts and not is_font_stack(fonts):
            return (
                f"the {what} “{fonts}” is not a list of font names that ends in one every reader has, "
                f"such as Georgia, serif (known are {', '.join(GENERIC_FONTS)})"
            )
    if brand.radius is not None and not 0 <= brand.radius <= MAX_RADIUS:
        return f"the radius {brand.radius} is not a number of pixels from 0 to {MAX_RADIUS}"
    if brand.logo and not brand.logo.url.startswith(("https://", "http://")):
        return f"the logo's address “{brand.logo.url[:80]}” is not a full URL"
    return ""


def is_font_stack(fonts: str) -> bool:
    """Whether it can stand in a style attribute as it is, and leaves no reader without a font."""
    quoted = fonts.count("'") % 2 == 0
    return bool(_FONTS.fullmatch(fonts)) and quoted and fonts.rpartition(",")[2].strip() in GENERIC_FONTS


def look(theme: Brand, own: Brand, light: Mapping[str, str], dark: Mapping[str, str]) -> Look:
    """The theme's settings with the publication's put over them. Raises BrandError."""
    wrong = problem(own)
    if wrong:
        raise BrandError(wrong)
    accent = own.accent or theme.accent
    radius = theme.radius if own.radius is None else own.radius
    return Look(
        logo=own.logo or theme.logo,
        text_font=own.text_font or theme.text_font,
        heading_font=own.heading_font or theme.heading_font,
        radius=radius or 0,
        light={**light, **_shades(accent, light, darkened=0.25)},
        dark={**dark, **_shades(accent, dark, darkened=0.5)},
    )


def _shades(accent: str, colours: Mapping[str, str], *, darkened: float) -> dict[str, str]:
    """The accent as text, as a plate under a button's label, and as the ground of a whole masthead.

    A plate keeps the accent as it was chosen wherever that can be told from the paper (WCAG 2.2, 1.4.11: 3:1).
    """
    text = readable(accent, *(colours[ground] for ground in GROUNDS))
    plate = accent if contrast(accent, colours["paper"]) >= 3 else text
    # A pale accent would make a pale band; white stands on it best when it is dark enough for both.
    band = readable(mixed(accent, BLACK, darkened), WHITE)
    soft = mixed(band, WHITE, 0.85)
    return {
        "accent": text,
        "plate": plate,
        "on-plate": on(plate, WHITE, colours["paper"]),
        "band": band,
        "on-band": WHITE,
        "on-band-soft": soft if contrast(soft, band) >= READABLE else WHITE,
    }
