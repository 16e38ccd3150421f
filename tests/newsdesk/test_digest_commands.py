"""Digests at the command line: what compose and import-stories make of doubts, sections and sources."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from composer.models import Approval, Edition, Story
from newsdesk.core.errors import InputError, OperationFailedError
from tests.factories import make_publication

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

TEXT = "The council voted nine to four on Tuesday night to close the road, after a long debate about buses."
PLAIN = f"Harbour Weekly\n\nGood morning.\n\nPOLITICS\n\n1. Quay road closes\n\n{TEXT}\n\nSource: Post https://example.com/a\n\n2. Trams run\n\n{TEXT}\n"
DOUBTFUL = PLAIN.replace("2. Trams", "2) Trams")


def run(command: str, *words: Any) -> dict[str, Any]:
    out = StringIO()
    try:
        call_command(command, *map(str, words), "--json", stdout=out)
    finally:
        run.printed = out.getvalue()  # type: ignore[attr-defined]
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def written(folder: Path, text: str) -> Path:
    path = folder / "digest.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_edition_has_the_sections_and_sources_of_its_digest(tmp_path: Path) -> None:
    publication = make_publication()

    report = run("compose", "--publication", publication.slug, "--digest", written(tmp_path, PLAIN))

    edition = Edition.objects.get(pk=report["edition"])
    assert [block.block_type for block in edition.content] == ["section", "story", "story"]
    assert edition.content[0].value["heading"] == "POLITICS"
    assert edition.content[1].value["source_url"] == "https://example.com/a"
    assert Story.objects.get(headline="Quay road closes").source_name == "Post"
    assert report["report"]["sections"] == 1
    assert Approval.objects.filter(edition=edition).exists()


def test_doubts_keep_an_edition_a_draft_until_they_are_accepted(tmp_path: Path) -> None:
    publication = make_publication()
    words = ("--publication", publication.slug, "--digest", written(tmp_path, DOUBTFUL))

    with pytest.raises(OperationFailedError, match="1 line of the digest could be read otherwise"):
        run("compose", *words)
    report = json.loads(run.printed)  # type: ignore[attr-defined]

    assert [problem["code"] for problem in report["problems"] if problem["code"] == "digest.doubt"] == ["digest.doubt"]
    assert [doubt["line"] for doubt in report["report"]["doubts"]] == [13]
    assert not Approval.objects.exists()
    assert run("compose", *words, "--accept-doubts")["edition"]
    assert Approval.objects.count() == 1


def test_stories_are_imported_with_the_report_of_each_file(tmp_path: Path) -> None:
    publication = make_publication()
    path = written(tmp_path, DOUBTFUL)

    report = run("import_stories", path, path, "--publication", publication.slug)

    assert (report["created"], report["repeated"]) == (2, 2)
    assert report["report"]["stories"] == 2
    assert [one["source"] for one in report["reports"]] == [str(path)] * 2
    assert [problem["code"] for problem in report["problems"]] == ["digest.doubt"] * 2


def test_an_unknown_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no encoding “klingon”"):
        run(
            "import_stories",
            written(tmp_path, PLAIN),
            "--publication",
            make_publication().slug,
            "--encoding",
            "klingon",
        )
