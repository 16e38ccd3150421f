"""Themes are folders under `templates/email/`: one MJML template with its macros, and three small stylesheets.

edition.mjml.j2   the document; imports its macros from the files beside it
inline.css        inlined into the mail's elements; START and END stand for left and right by reading direction
head.css          goes into the mail's head as it is (media queries)
dark.css          the dark scheme, one rule a line; wrapped for prefers-color-scheme and for Outlook.com
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from composer import merge_tags
from composer.sanitising import printable, rich_text
from newsdesk.paths import templates_dir

_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")


class UnknownTheme(ValueError):  # noqa: N818 - it reads as a sentence where it is caught
    """The named theme does not exist; the message names those that do."""


@dataclass(frozen=True, kw_only=True)
class Theme:
    name: str
    template: Template
    inline_css: str
    head_css: Markup


@cache
def theme(name: str, direction: str) -> Theme:
    """The compiled theme for a reading direction ("ltr" or "rtl"). Raises UnknownTheme."""
    if name not in theme_names():
        raise UnknownTheme(f"there is no theme “{name}”; there are {', '.join(theme_names())}")
    folder = _folder() / name
    head = _directed((folder / "head.css").read_text(), direction) + _dark((folder / "dark.css").read_text())
    return Theme(
        name=name,
        template=_environment().get_template(f"{name}/edition.mjml.j2"),
        inline_css=_directed((folder / "inline.css").read_text(), direction),
        head_css=Markup(head),  # noqa: S704 - it comes with the theme, and escaping would break its selectors
    )


@cache
def theme_names() -> tuple[str, ...]:
    return tuple(sorted(path.parent.name for path in _folder().glob("*/edition.mjml.j2")))


def markup(value: object) -> object:
    """What every expression of a template goes through: made printable, escaped unless markup, merge tags translated."""
    if not isinstance(value, str):
        return value
    text = printable(value if isinstance(value, Markup) else str(escape(value)))
    return Markup(merge_tags.translate(text, "html")[0])  # noqa: S704 - escaped or sanitised above


def rich(html: str, heading_level: int = 3) -> Markup:
    """Sanitised rich text; its headings begin at the level that follows from where it stands."""
    clean = rich_text(html)
    if heading_level != 3 and ("<h3" in clean or "<h4" in clean):
        for level in (4, 3):
            clean = re.sub(rf"(</?h){level}\b", rf"\g<1>{level + heading_level - 3}", clean)
    return Markup(clean)  # noqa: S704 - sanitised


@cache
def _environment() -> Environment:
    # select_autoescape() would not cover *.mjml.j2.
    environment = Environment(
        loader=FileSystemLoader(_folder()),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=markup,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["rich"] = rich
    return environment


def _folder() -> Path:
    return templates_dir() / "email"


def _directed(css: str, direction: str) -> str:
    start, end = ("left", "right") if direction == "ltr" else ("right", "left")
    return _squeezed(css).replace("START", start).replace("END", end)


def _squeezed(css: str) -> str:
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    return re.sub(r"\s*([{};:,])\s*", r"\1", re.sub(r"\s+", " ", css)).strip()


def _dark(css: str) -> str:
    """The dark rules for clients that know the reader's scheme, and for Outlook.com, which marks what it has changed."""
    rules = _RULE.findall(_squeezed(css))
    plain = "".join(f"{selectors.strip()}{{{body}}}" for selectors, body in rules)
    outlook = "".join(
        f"{','.join(f'[data-ogsc] {selector.strip()}' for selector in selectors.split(','))}{{{body}}}"
        for selectors, body in rules
        if not selectors.strip().startswith(("body", ":root"))
    )
    return f"@media (prefers-color-scheme:dark){{{plain}}}\n{outlook}"
