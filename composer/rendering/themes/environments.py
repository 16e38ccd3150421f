"""How templates become mails: everything escaped, merge tags translated, and nothing undefined passed over."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from composer import merge_tags
from composer.rendering.themes.confinement import ConfinedEnvironment, spend
from composer.sanitising import printable, rich_text


def environment(templates: Mapping[str, str], *, confined: bool) -> Environment:
    """An environment that holds these templates and reaches nothing else.

    Confined, it runs in the sandbox and counts what it does (`confinement.bounded`).
    """
    made: Callable[..., Environment] = ConfinedEnvironment if confined else Environment
    # select_autoescape() would not cover *.mjml.j2.
    result = made(
        # The name is also what tracebacks call the file.
        loader=FunctionLoader(lambda name: (templates[name], name, None) if name in templates else None),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_counted_markup if confined else markup,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    result.filters["rich"] = _counted_rich if confined else rich
    return result


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


def _counted_markup(value: object) -> object:
    spend(characters=len(value) if isinstance(value, str) else 0)
    return markup(value)


def _counted_rich(html: str, heading_level: Any = 3) -> Markup:
    # Sanitising costs the most of all.
    spend(characters=2 * len(html))
    return rich(html, heading_level)
