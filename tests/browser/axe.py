"""What axe-core finds on a page, apart from faults of Wagtail's that are listed in docs/reference/accessibility.md."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe

KNOWN = Path(__file__).parents[2] / "docs" / "reference" / "accessibility.md"
#: WCAG 2.2 at the levels A and AA, and what axe calls good practice.
OPTIONS = {"resultTypes": ["violations"]}
_ROW = re.compile(r"^\| `(?P<rule>[a-z-]+)` \| `(?P<selector>[^`]+)` \|", re.MULTILINE)


def faults(page: Any) -> Iterator[str]:
    """Each with its rule, the selector of the element and axe's word about it."""
    known = _known()
    for violation in Axe().run(page, options=OPTIONS).response["violations"]:
        for node in violation["nodes"]:
            target = " ".join(str(part) for part in node["target"])
            if not any(
                rule == violation["id"] and page.locator(selector).and_(page.locator(target)).count()
                for rule, selector in known
            ):
                yield f"{violation['id']}: {target} ({node['html'][:200]}): {node['failureSummary'].splitlines()[-1].strip()}"


def _known() -> list[tuple[str, str]]:
    return [(row["rule"], row["selector"]) for row in _ROW.finditer(KNOWN.read_text())]
