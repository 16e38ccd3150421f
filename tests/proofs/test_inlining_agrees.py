"""premailer and css-inline, which share no code, give every element the same computed style."""

import json
from typing import Any
from unittest.mock import patch

import css_inline
import pytest

from composer.rendering import pipeline, render
from composer.rendering.inlining import inlined
from tests.proofs.matrix import CASES, Case, edition, named

pytestmark = [pytest.mark.integration, pytest.mark.browser]

#: What follows from the other properties, here or in an element above.
FOLLOWS = ("block-size", "height", "inline-size", "width", "perspective-origin", "transform-origin")
#: As a text: Playwright takes long over a million values.
COMPUTED = """(follows) => JSON.stringify([...document.body.querySelectorAll('*')].map((element) => {
  const style = getComputedStyle(element)
  const named = [...style].filter((name) => !follows.includes(name)).map((name) => [name, style.getPropertyValue(name)])
  return [`${element.tagName} ${element.className}`, Object.fromEntries(named)]
}))"""


@pytest.fixture(scope="module")
def page(browser: Any) -> Any:
    return browser.new_context(viewport={"width": 640, "height": 900}, offline=True).new_page()


def computed(page: Any, html: str) -> list[tuple[str, dict[str, str]]]:
    page.set_content(html, wait_until="domcontentloaded")
    found: list[tuple[str, dict[str, str]]] = json.loads(page.evaluate(COMPUTED, list(FOLLOWS)))
    return found


@pytest.mark.parametrize("case", CASES, ids=named)
def test_two_inliners_agree(case: Case, page: Any) -> None:
    theme, name, direction = case
    with patch.object(pipeline, "inlined", wraps=inlined) as asked:
        render(edition(name, direction), theme=theme)
    html, css = asked.call_args.args
    second = css_inline.CSSInliner(
        inline_style_tags=False, keep_style_tags=True, load_remote_stylesheets=False, extra_css=css
    )

    ours, theirs = computed(page, inlined(html, css)), computed(page, second.inline(html))

    assert [element for element, _ in ours] == [element for element, _ in theirs]
    differing = [
        f"{element} {name}: {mine[name]}, not {other[name]}"
        for (element, mine), (_, other) in zip(ours, theirs, strict=True)
        for name in mine
        if mine[name] != other[name]
    ]
    assert differing == []
