import json
import stat
from pathlib import Path
from typing import Any

import pytest

from composer.models import Publication
from subscribers.models import Segment
from tests.subscribers.commands import imported, refusal, run_json

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

WEEKLY = ("--publication", "weekly")


def test_a_file_that_only_its_owner_reads_comes_back_unchanged(
    publication: Publication, make_list: Any, make_subscriber: Any, tmp_path: Path
) -> None:
    readers, file = make_list("readers"), tmp_path / "out.csv"
    make_subscriber("ada@example.com", lists={readers: "active"}, tags=["a, b"], attributes={"age": 33})
    make_subscriber("bob@example.com", lists={readers: "pending"})

    said = run_json("export_subscribers", *WEEKLY, "--list", "readers", "--out", str(file))

    assert said == {"readers": 2, "file": str(file)}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    code, report = imported("import_subscribers", str(file), *WEEKLY, "--list", "readers", "--json")
    assert (code, report["preset"], report["unchanged"]) == (0, "newsdesk", 2)


def test_a_segment_as_json_lines_on_standard_output(
    publication: Publication, make_list: Any, make_subscriber: Any, capfdbinary: Any
) -> None:
    one = make_list("one")
    make_subscriber("ada@example.com", lists={one: "active"}, tags=["vip"])
    make_subscriber("bob@example.com", lists={one: "active"})
    rule = {"field": "tags", "op": "has_any", "value": ["vip"]}
    Segment.objects.create(publication=publication, slug="vips", name="VIPs", rule=rule)

    imported("export_subscribers", *WEEKLY, "--segment", "vips", "--format", "jsonl")

    (row,) = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert (row["email"], row["tags"]) == ("ada@example.com", ["vip"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--list", "nobody"), "--list: weekly has no list 'nobody'"),
        (("--segment", "nobody"), "--segment: weekly has no segment 'nobody'"),
        (("--json",), "--out FILE"),
        (("--out", "/nowhere/x.csv"), "--out: /nowhere/x.csv: No such file"),
    ],
)
def test_it_refuses_in_one_line(publication: Publication, words: tuple[str, ...], message: str) -> None:
    assert message in refusal("export_subscribers", *WEEKLY, *words)
