"""axe-core over every mail, on a phone and at full width, in both colour schemes."""

from pathlib import Path
from typing import Any

import pytest

from composer import merge_tags
from tests.proofs.matrix import CASES, Case, named, rendering

pytestmark = [pytest.mark.integration, pytest.mark.browser]

#: A mail is no page: it has no landmarks.
OFF = ("region", "landmark-one-main")
WIDTHS, SCHEMES = (375, 640), ("light", "dark")
#: What a reader's mail client shows in place of images that are not there is not ours to judge: they are left out.
RUN = """async (off) => {
  const rules = Object.fromEntries(off.map((rule) => [rule, { enabled: false }]))
  const { violations } = await axe.run(document, { rules, resultTypes: ['violations'] })
  return violations.map(({ id, nodes }) => `${id}: ${nodes.length} × ${nodes[0].html.slice(0, 160)} ${nodes[0].failureSummary}`)
}"""
SAMPLE = {
    "name": "Sample Reader",
    "email": "reader@example.com",
    "unsubscribe_url": "https://example.com/u/1",
    "preferences_url": "https://example.com/p/1",
}


@pytest.fixture(scope="module")
def pages(browser: Any) -> Any:
    opened = {}
    for width in WIDTHS:
        for scheme in SCHEMES:
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
            opened[width, scheme] = context.new_page()
    return opened


def violations(page: Any, html: str, axe: str) -> list[str]:
    page.set_content(html, wait_until="domcontentloaded")
    page.evaluate(axe)
    found: list[str] = page.evaluate(RUN, list(OFF))
    return found


@pytest.mark.parametrize("case", CASES, ids=named)
def test_axe_finds_nothing(case: Case, pages: Any, node_modules: Path) -> None:
    mail = rendering(*case)
    html = merge_tags.fill(mail.html, merge_tags.values(mail.tags, **SAMPLE))
    axe = (node_modules / "axe-core" / "axe.min.js").read_text()

    found = {where: violations(page, html, axe) for where, page in pages.items()}

    assert {where: faults for where, faults in found.items() if faults} == {}


def test_nothing_is_wider_than_a_phone(pages: Any) -> None:
    for case in CASES:
        page = pages[375, "light"]
        page.set_content(rendering(*case).html, wait_until="domcontentloaded")
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, named(case)


def test_the_judge_is_awake(pages: Any, node_modules: Path) -> None:
    html = "<!DOCTYPE html><html><head><title>x</title></head><body><img src=x><p style='color:#ccc'>pale</p></body></html>"
    axe = (node_modules / "axe-core" / "axe.min.js").read_text()

    found = " ".join(violations(pages[375, "light"], html, axe))

    assert all(rule in found for rule in ("html-has-lang", "image-alt", "color-contrast"))
