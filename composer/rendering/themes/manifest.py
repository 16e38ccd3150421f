"""theme.toml: what a theme is called, the brand it comes with, and its colours in both schemes."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from composer.brand import DERIVED, GROUNDS, ROLES, problem
from composer.colours import READABLE, contrast, is_colour
from composer.content import Brand
from composer.rendering.errors import Fault
from composer.rendering.themes.folder import MANIFEST

_BRAND = {"accent": str, "text_font": str, "heading_font": str, "radius": int}
_SCHEMES = ("light", "dark")
_COLOUR_NAME = re.compile(r"[a-z][a-z-]*")
_AT_LINE = re.compile(r"\(at line (\d+)")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    title: str
    #: What it looks like and what it is good for, in a line.
    about: str
    brand: Brand
    light: Mapping[str, str]
    dark: Mapping[str, str]


def read(text: str) -> tuple[Manifest | None, tuple[Fault, ...]]:
    """The manifest, or None and what is wrong with it."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = _AT_LINE.search(str(error))
        return None, (Fault(file=MANIFEST, line=int(match[1]) if match else 0, message=f"not TOML: {error}"),)
    faults = tuple(
        Fault(file=MANIFEST, line=_line(text, table, key), message=message) for table, key, message in _wrong(data)
    )
    if faults:
        return None, faults
    return Manifest(
        title=data["name"],
        about=data.get("about", ""),
        brand=Brand(**data["brand"]),
        light=data["light"],
        dark=data["dark"],
    ), ()


def _wrong(data: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Table, key and message of everything that is wrong."""
    for key in ("name", "about"):
        if not isinstance(data.get(key, ""), str) or (key == "name" and not data.get(key)):
            yield "", key, f"{key} is not a text in quotes"
    for key in data.keys() - {"name", "about", "brand", *_SCHEMES}:
        yield "", key, f"“{key}” is not known; known are name, about, [brand], [light] and [dark]"
    for table in ("brand", *_SCHEMES):
        if not isinstance(data.get(table), dict):
            yield "", table, f"the table [{table}] is missing"
            return
    yield from _wrong_brand(data["brand"])
    for scheme in _SCHEMES:
        yield from _wrong_colours(scheme, data[scheme])
    for key in data["light"].keys() ^ data["dark"].keys():
        missing = "dark" if key in data["light"] else "light"
        yield missing, "", f"“{key}” is named in one scheme only; give it in [{missing}] too"


def _wrong_brand(brand: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    wrong = False
    for key, value in brand.items():
        if key not in _BRAND:
            yield "brand", key, f"“{key}” is not known; known are {', '.join(_BRAND)}"
        elif type(value) is not _BRAND[key]:
            yield "brand", key, f"{key} is not {'a number' if _BRAND[key] is int else 'a text in quotes'}"
        else:
            continue
        wrong = True
    for key in _BRAND.keys() - brand.keys():
        yield "brand", "", f"{key} is missing"
        wrong = True
    if wrong:
        return
    for key in _BRAND:
        message = problem(Brand(**{key: brand[key]}))
        if message:
            yield "brand", key, message


def _wrong_colours(scheme: str, colours: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for key, value in colours.items():
        if not isinstance(value, str) or not is_colour(value):
            yield scheme, key, f"{key} is not a colour such as #f1eee7"
        elif key in DERIVED:
            yield scheme, key, f"{key} is worked out of the accent; leave it out"
        elif not _COLOUR_NAME.fullmatch(key):
            yield scheme, key, "name colours with small letters and hyphens"
    for key in set(ROLES) - colours.keys():
        yield scheme, "", f"the colour {key} is missing"
    named = {key: value for key, value in colours.items() if isinstance(value, str) and is_colour(value)}
    for key in ("ink", "text", "muted"):
        for background in GROUNDS:
            if {key, background} <= named.keys() and (ratio := contrast(named[key], named[background])) < READABLE:
                side = "darker" if scheme == "light" else "lighter"
                yield scheme, key, f"{key} on {background} has contrast {ratio:.1f}:1, and needs 4.5:1: make it {side}"


def _line(text: str, table: str, key: str) -> int:
    """The line where a key of a table stands; that of the table where the key is missing; 0 if both are."""
    inside, place = not table, 0
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[([^\]]*)\]", line)
        if header:
            inside = header[1].strip() == table
            place = number if inside else place
        elif inside and key and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return number
    return place
