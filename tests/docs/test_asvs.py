"""The table of ASVS requirements names files that exist, says how each stands, and leaves none out."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (V\d+\.\d+\.\d+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
TEXT = (ROOT / "docs/reference/asvs.md").read_text(encoding="utf-8")
ROWS = ROW.findall(TEXT)
#: Requirements of levels 1 and 2 for each section of ASVS 5.0.0; level 3 has others between them.
SECTIONS = {
    "V1.1": 2, "V1.2": 9, "V1.3": 11, "V1.4": 3, "V1.5": 2, "V2.1": 3, "V2.2": 3, "V2.3": 4, "V2.4": 1, "V3.2": 2, "V3.3": 4, "V3.4": 6,
    "V3.5": 5, "V3.7": 2, "V4.1": 3, "V4.2": 1, "V4.3": 2, "V4.4": 4, "V5.1": 1, "V5.2": 3, "V5.3": 2, "V5.4": 3, "V6.1": 3, "V6.2": 12,
    "V6.3": 4, "V6.4": 4, "V6.5": 5, "V6.6": 3, "V6.8": 4, "V7.1": 3, "V7.2": 4, "V7.3": 2, "V7.4": 5, "V7.5": 2, "V7.6": 2, "V8.1": 2,
    "V8.2": 3, "V8.3": 1, "V8.4": 1, "V9.1": 3, "V9.2": 4, "V10.1": 2, "V10.2": 2, "V10.3": 4, "V10.4": 11, "V10.5": 5, "V10.6": 2,
    "V10.7": 3, "V11.1": 2, "V11.2": 3, "V11.3": 3, "V11.4": 4, "V11.5": 1, "V11.6": 1, "V12.1": 3, "V12.2": 2, "V12.3": 4, "V13.1": 1,
    "V13.2": 5, "V13.3": 2, "V13.4": 5, "V14.1": 2, "V14.2": 4, "V14.3": 3, "V15.1": 3, "V15.2": 3, "V15.3": 7, "V16.1": 1, "V16.2": 5,
    "V16.3": 4, "V16.4": 3, "V16.5": 3, "V17.1": 1, "V17.2": 4, "V17.3": 2,
}  # fmt: skip


def test_every_requirement_is_there_once() -> None:
    ids = [number for number, _, _ in ROWS]
    assert len(ids) == len(set(ids)) == sum(SECTIONS.values()) == 253
    counted = {section: sum(number.rpartition(".")[0] == section for number in ids) for section in SECTIONS}
    assert counted == SECTIONS
    assert len(ROWS) == TEXT.count("\n| V")


@pytest.mark.parametrize(("number", "summary", "stands"), ROWS, ids=[row[0] for row in ROWS])
def test_a_requirement_says_how_it_stands(number: str, summary: str, stands: str) -> None:
    assert len(summary.split()) <= 12, "in our own words, and few of them"
    assert re.match(r"holds|not met|n/a|proxy", stands)
    if stands.startswith("not met"):
        assert ":" in stands, f"{number} says what is missing"
    for path in re.findall(r"`([\w./-]+/[\w./-]+|[\w-]+\.(?:md|toml|yml|in)|Dockerfile|\.dockerignore)`", stands):
        if not path.startswith("/"):
            assert (ROOT / path).exists(), path
