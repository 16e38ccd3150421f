"""The HTML document is whole: what mail clients and screen readers need of it (Email Markup Consortium's rules)."""

from collections.abc import Iterator

from composer.checks import css
from composer.checks.context import CheckContext, Problem
from composer.rendering.strings import direction_of_language

#: Gmail drops a style block above this many bytes.
MAX_STYLE_BYTES = 16_384


def check(context: CheckContext) -> Iterator[Problem]:
    html, page = context.rendering.html, context.page
    if "<mj-" in html:
        yield _error("html.mjml_left", "MJML is left in the HTML; the theme is faulty")
    if html.count("<!DOCTYPE") != 1 or not html.startswith("<!DOCTYPE html>"):
        yield _error("html.doctype", "the HTML must begin with one <!DOCTYPE html>")
    for element in (page, *page.xpath("/html/body/*")):
        if not element.get("lang") or element.get("dir") not in {"ltr", "rtl"}:
            yield _error("html.language", f"<{element.tag}> names no language and direction (lang, dir)")
    if not (page.findtext("head/title") or "").strip():
        yield _error("html.title", "the HTML has no title")
    if page.xpath("//table[not(@role)]"):
        yield _error("html.table_role", 'a layout table without role="presentation"')
    yield from _direction(context)
    for style in context.styles:
        yield from _style(style)


def _direction(context: CheckContext) -> Iterator[Problem]:
    publication = context.content.publication
    expected = direction_of_language(publication.language)
    if expected != publication.direction:
        message = (
            f"the publication's language is “{publication.language}”, which is written "
            f"{'from right to left' if expected == 'rtl' else 'from left to right'}, but its direction is "
            f"{publication.direction}; change one of them"
        )
        yield Problem(level="warning", code="html.direction", message=message, where="publication")


def _style(style: str) -> Iterator[Problem]:
    size = len(style.encode())
    if size > MAX_STYLE_BYTES:
        message = f"a style block of {size:,} bytes; Gmail drops one above {MAX_STYLE_BYTES:,}: split or shorten it"
        yield _error("html.style_size", message)
    nested = next((rule.within for rule in css.rules(style) if len(rule.within) > 1), ())
    if nested:
        message = f"{nested[1]} stands inside {nested[0]}; Gmail then drops the whole style block: take it out"
        yield _error("html.nested_at_rule", message)


def _error(code: str, message: str) -> Problem:
    return Problem(level="error", code=code, message=message)
