import json
import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from PIL import Image

from newsdesk.core.errors import InputError, OperationFailedError
from newsdesk.core.paths import samples_dir

SHARED = Path(__file__).resolve().parents[3] / "shared" / "digests"


def rendered(source: Path, out: Path, **options: Any) -> Any:
    stdout = StringIO()
    call_command("render", str(source), out=str(out), json=True, stdout=stdout, **options)
    return json.loads(stdout.getvalue())


def test_it_writes_four_files_and_reports_them(tmp_path: Path) -> None:
    report = rendered(samples_dir() / "science-week.txt", tmp_path / "new" / "folder", address="1 Quay, Port Ellery")

    assert set(report) == {"title", "stories", "headlines", "html_bytes", "text_bytes", "report", "problems", "files"}
    assert report["title"] == "Field Notes: Six Findings From the Week in Science"
    assert report["stories"] == len(report["headlines"]) == 6
    assert report["problems"] == []
    assert set(report["files"]) == {"mjml", "html", "txt", "eml"}
    for kind, path in report["files"].items():
        assert Path(path) == tmp_path / "new" / "folder" / f"edition.{kind}"
    assert Path(report["files"]["html"]).stat().st_size == report["html_bytes"]
    assert Path(report["files"]["txt"]).stat().st_size == report["text_bytes"]


def test_a_sample_address_is_a_warning(tmp_path: Path) -> None:
    report = rendered(samples_dir() / "city-week.txt", tmp_path)

    assert {problem["code"] for problem in report["problems"]} == {
        "cta.no_link",
        "link.click_here",
        "footer.sample_address",
    }
    assert {problem["level"] for problem in report["problems"]} == {"warning"}


def test_people_get_a_summary(tmp_path: Path) -> None:
    stdout = StringIO()
    call_command("render", str(samples_dir() / "city-week.txt"), out=str(tmp_path), stdout=stdout)

    assert "  1. Council Closes the Quay Road to Through Traffic From May\n" in stdout.getvalue()
    assert "warning: call to action: " in stdout.getvalue()


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared digests are not at hand")
def test_the_shared_digests_have_no_error(tmp_path: Path) -> None:
    reports = [rendered(path, tmp_path) for path in sorted(SHARED.glob("*.txt"))]

    assert [report["stories"] for report in reports] == [8, 12, 6]
    assert [problem for report in reports for problem in report["problems"] if problem["level"] == "error"] == []


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("Title\n\n1. One\n\nText.\n\n3. Three\n\nText.\n", {}, r"digest.txt:7: story 2 is missing"),
        ("Title\n\n1. One\n\nText.\n", {"theme": "neon"}, r"--theme: there is no theme “neon”; there are .*digest"),
    ],
)
def test_bad_input_is_refused_with_its_place(tmp_path: Path, text: str, options: dict[str, str], message: str) -> None:
    source = tmp_path / "digest.txt"
    source.write_text(text)

    with pytest.raises(InputError, match=message):
        rendered(source, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_missing_files_and_folders_that_are_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.txt: No such file"):
        rendered(tmp_path / "nothing.txt", tmp_path)
    with pytest.raises(InputError, match="Is a directory"):
        rendered(tmp_path, tmp_path)
    taken = tmp_path / "taken"
    taken.write_text("")
    with pytest.raises(InputError, match=r"--out .*taken: File exists"):
        rendered(samples_dir() / "science-week.txt", taken)


@pytest.mark.browser
@pytest.mark.skipif(not shutil.which("chromium"), reason="there is no Chromium here")
def test_screenshots_are_written_for_both_widths_and_schemes(tmp_path: Path) -> None:
    report = rendered(samples_dir() / "science-week.txt", tmp_path, theme="magazine", screenshots=True)

    shots = {kind: Path(path) for kind, path in report["files"].items() if kind.startswith("png")}
    assert set(shots) == {f"png-{width}-{scheme}" for width in (640, 375) for scheme in ("light", "dark")}
    corner = {}
    for kind, path in shots.items():
        with Image.open(path) as picture:
            assert picture.width == int(kind.split("-")[1])
            assert picture.height > 2000
            corner[kind] = sum(picture.convert("RGB").getpixel((picture.width // 2, 6)))  # type: ignore[arg-type]
    assert corner["png-375-light"] > 600
    assert corner["png-375-dark"] < 150


def test_without_chromium_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("newsdesk.screenshots.PLACES", ())

    with pytest.raises(OperationFailedError, match="--screenshots: no Chromium was found"):
        rendered(samples_dir() / "science-week.txt", tmp_path / "out", screenshots=True)
    assert (tmp_path / "out" / "edition.html").exists()
