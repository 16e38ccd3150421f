"""The HTML document is whole: what mail clients and screen readers need of it (Email Markup Consortium's rules)."""

import re
from collections.abc import Iterator

from composer.checks.checked import Checked, Problem

#: Gmail drops style blocks above this many bytes.
MAX_STYLE_BYTES = 16_384
_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)


def check(checked: Checked) -> Iterator[Problem]:
    html, page = checked.rendering.html, checked.page
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
    style = sum(len(block.encode()) for block in _STYLE.findall(html))
    if style > MAX_STYLE_BYTES:
        yield _error("html.style_size", f"{style:,} bytes of styles; Gmail drops more than {MAX_STYLE_BYTES:,}")


def _error(code: str, message: str) -> Problem:
    return Problem(level="error", code=code, message=message)
