"""premailer and css-inline, which share no code, give every element the same computed style."""

from typing import Any

import css_inline
import pytest

from composer.rendering import pipeline, themes
from composer.rendering.inlining import inlined
from tests.proofs.matrix import CASES, Case, named, rendering

pytestmark = pytest.mark.browser

COMPUTED = """() => [...document.body.querySelectorAll('*')].map((element) => {
  const style = getComputedStyle(element)
  return element.tagName + ' ' + [...style].map((name) => name + ':' + style.getPropertyValue(name)).join(';')
})"""


@pytest.fixture(scope="module")
def page(browser: Any) -> Any:
    return browser.new_context(viewport={"width": 640, "height": 900}, offline=True).new_page()


def computed(page: Any, html: str) -> list[str]:
    page.set_content(html, wait_until="domcontentloaded")
    found: list[str] = page.evaluate(COMPUTED)
    return found


@pytest.mark.parametrize("case", CASES, ids=named)
def test_two_inliners_agree(case: Case, page: Any) -> None:
    theme, _, direction = case
    html = pipeline._compiled(rendering(*case).mjml)
    css = themes.theme(theme, direction).inline_css
    other = css_inline.CSSInliner(
        inline_style_tags=False, keep_style_tags=True, load_remote_stylesheets=False, extra_css=css
    )

    ours, theirs = computed(page, inlined(html, css)), computed(page, other.inline(html))

    assert len(ours) == len(theirs)
    assert [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]] == []
