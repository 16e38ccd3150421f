"""What an editor's theme has made, before it goes on: its work bounded, its faults named, its MJML looked through."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError
from lxml import etree
from lxml import html as lxml_html

from composer.rendering.errors import RenderingError
from composer.rendering.themes.confinement import TooMuchWorkError, bounded
from composer.rendering.themes.examination import forbidden_tags
from composer.rendering.themes.folder import TEMPLATE
from composer.sanitising import TextTooLargeError, followable

if TYPE_CHECKING:
    from composer.rendering.themes import Theme

MAX_MJML = 400_000
#: The MJML parser's stack is finite; 10,000 levels crash the process.
MAX_DEPTH = 100
_TAG = re.compile(r"<(/?)([a-z][\w-]*)[^<>]*?(/?)>", re.IGNORECASE)
_CONDITIONAL = re.compile(r"\[if [^\]]*\]>(.*)", re.DOTALL)
_FORBIDDEN_ELEMENTS = frozenset(
    {"script", "iframe", "frame", "object", "embed", "applet", "form", "input", "link", "base"}
)
_FORBIDDEN_ELEMENTS |= {"svg", "math"}
_ADDRESSES = frozenset({"href", "src", "background", "action", "poster", "cite", "longdesc", "xlink:href"})
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
    for bad in forbidden_tags(mjml):
        raise _misplaced(name, bad)
    depth = 0
    for closing, tag, closed in _TAG.findall(mjml):
        if not closed and tag.lower() not in _VOID:
            depth += -1 if closing else 1
            if depth > MAX_DEPTH:
                raise RenderingError(f"theme {name}: its tags are nested more than {MAX_DEPTH} deep")


def look_through_html(name: str, html: str) -> None:
    """Refuse what runs, fetches or leads a reader away, in the finished HTML as a parser reads it.

    Also in conditional comments, which are markup to Outlook. Raises RenderingError.
    """
    page = lxml_html.document_fromstring(html.encode(), parser=lxml_html.HTMLParser(encoding="utf-8"))
    for element in page.iter():
        if element.tag is etree.Comment:
            conditional = _CONDITIONAL.match(element.text or "")
            if conditional and "<" in conditional[1]:
                look_through_html(name, f"<!DOCTYPE html><html><body>{conditional[1]}</body></html>")
        elif isinstance(element.tag, str):
            _look_at(name, element)


def _look_at(name: str, element: Any) -> None:
    if element.tag in _FORBIDDEN_ELEMENTS:
        raise _misplaced(name, f"<{element.tag}")
    if element.tag == "meta" and "refresh" in element.get("http-equiv", "").lower():
        raise _misplaced(name, 'http-equiv="refresh"')
    for attribute, value in element.attrib.items():
        if attribute.startswith("on") or attribute in {"formaction", "srcdoc"}:
            raise _misplaced(name, f"{attribute}=")
        if attribute in _ADDRESSES and not followable(value):
            raise _misplaced(name, f'{attribute}="{value}"')


def _misplaced(name: str, piece: str) -> RenderingError:
    return RenderingError(f"theme {name}: “{piece[:60]}” has no place in a mail")


def _place(theme: "Theme", error: BaseException) -> str:
    """The template's file and line the error came from; Jinja gives its frames the names of their templates."""
    place, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.endswith(TEMPLATE):
            place = f", {file}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"theme {theme.name}{place}"
