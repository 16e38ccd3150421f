"""What axe-core finds on a page, apart from faults of Wagtail's that are listed in docs/reference/accessibility.md."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT

KNOWN = Path(__file__).parents[2] / "docs" / "reference" / "accessibility.md"
#: WCAG 2.2 at the levels A and AA, and what axe calls good practice. Wagtail has an axe of its own on some pages, with
#: rules of its own. As a text: Playwright takes long over many values.
RUN = """(rules) => ours.run({
    resultTypes: ["violations"], ...(rules.length ? { runOnly: rules } : {}),
}).then(results => JSON.stringify(results.violations))"""
#: What may change with the colours alone.
COLOURS = ("color-contrast", "link-in-text-block")
_ROW = re.compile(r"^\| `(?P<rule>[a-z-]+)` \| `(?P<selector>[^`]+)` \|", re.MULTILINE)


def faults(page: Any, rules: Sequence[str] = ()) -> Iterator[str]:
    """Each with its rule, the selector of the element and axe's word about it. Without `rules`: by all of them."""
    known = _known()
    if not page.evaluate("'ours' in window"):
        page.evaluate(AXE_SCRIPT)
        page.evaluate("window.ours = window.axe")
    for violation in json.loads(page.evaluate(RUN, list(rules))):
        for node in violation["nodes"]:
            target = " ".join(str(part) for part in node["target"])
            if not any(
                rule == violation["id"] and page.locator(selector).and_(page.locator(target)).count()
                for rule, selector in known
            ):
                yield f"{violation['id']}: {target} ({node['html'][:200]}): {node['failureSummary'].splitlines()[-1].strip()}"


def _known() -> list[tuple[str, str]]:
    return [(row["rule"], row["selector"]) for row in _ROW.finditer(KNOWN.read_text())]
