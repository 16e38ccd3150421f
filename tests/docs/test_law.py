"""docs/reference/law.md: each demand is met somewhere that is there, and shown by a test that is there, or says that it is not."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "law.md").read_text(encoding="utf-8")
_PATH = re.compile(r"`((?:composer|docs|newsdesk|subscribers|tasks|tests|web)/[^`]*)`")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if line.startswith("| ")
    and not line.startswith(("| Article", "| Rule", "| Section", "| Paragraph", "| Demand", "| RFC |"))
]


def test_the_page_tells_of_every_law() -> None:
    for name in ("GDPR", "ePrivacy", "PECR", "CAN-SPAM", "CASL", "Spam Control Act", "Gmail", "2369", "2919", "8058"):
        assert name in PAGE
    assert len(ROWS) >= 40


@pytest.mark.parametrize("path", sorted(set(_PATH.findall(PAGE))))
def test_what_it_names_is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row[:2])[:60])
def test_each_demand_is_shown_by_a_test_or_says_why_not(row: list[str]) -> None:
    shown = row[-1]
    assert "`tests/" in shown or shown == "the operator's" or shown.startswith("not met"), shown
