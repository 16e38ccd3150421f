"""What an editor's theme has made, before it goes on: its work bounded, its faults named, its MJML looked through."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from jinja2 import TemplateError

from composer.rendering.errors import RenderingError
from composer.rendering.themes.confinement import TooMuchWorkError, bounded
from composer.rendering.themes.examination import forbidden
from composer.rendering.themes.folder import TEMPLATE
from composer.sanitising import TextTooLargeError

if TYPE_CHECKING:
    from composer.rendering.themes import Theme

MAX_MJML = 400_000
#: The MJML parser's stack is finite; 10,000 levels crash the process.
MAX_DEPTH = 100
_TAG = re.compile(r"<(/?)([a-z][\w-]*)[^<>]*?(/?)>", re.IGNORECASE)
_VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})


def confined(theme: "Theme", make: Callable[[], str]) -> str:
    """The MJML an editor's theme makes. Raises RenderingError with file and line for what it must not or cannot do."""
    try:
        with bounded():
            mjml = make()
    except (
        TemplateError,
        TooMuchWorkError,
        ArithmeticError,
        TypeError,
        LookupError,
        AttributeError,
        ValueError,
    ) as error:
        if isinstance(error, TextTooLargeError):  # of the story, not of the theme
            raise
        raise RenderingError(f"{_place(theme, error)}: {error}") from error
    except RecursionError as error:
        raise RenderingError(f"theme {theme.name}: its macros call each other without end") from error
    _look_through(theme.name, mjml)
    return mjml


def _look_through(name: str, mjml: str) -> None:
    if len(mjml) > MAX_MJML:
        raise RenderingError(f"theme {name}: it makes {len(mjml):,} characters of MJML; at most {MAX_MJML:,} are taken")
    for bad in forbidden(mjml):
        raise RenderingError(f"theme {name}: “{bad[:60]}” has no place in a mail")
    depth = 0
    for closing, tag, closed in _TAG.findall(mjml):
        if not closed and tag.lower() not in _VOID:
            depth += -1 if closing else 1
            if depth > MAX_DEPTH:
                raise RenderingError(f"theme {name}: its tags are nested more than {MAX_DEPTH} deep")


def _place(theme: "Theme", error: BaseException) -> str:
    """The template's file and line the error came from; Jinja gives its frames the names of their templates."""
    place, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.endswith(TEMPLATE):
            place = f", {file}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"theme {theme.name}{place}"
