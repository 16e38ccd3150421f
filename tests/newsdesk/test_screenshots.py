"""Pictures of a mail, and what is said when they cannot be taken."""

import sys
from pathlib import Path

import pytest
from PIL import Image

from newsdesk import screenshots
from newsdesk.screenshots import NoBrowserError, Shot, pictures

PAGE = """<!doctype html><style>
body {{ margin: 0; background: #ffffff; height: {height}px }}
@media (prefers-color-scheme: dark) {{ body {{ background: #000080 }} }}
</style><body><script>document.body.style.background = "#ff0000"</script>"""


@pytest.fixture
def browser() -> None:
    try:
        screenshots.program()
    except NoBrowserError as error:
        pytest.skip(str(error))


@pytest.mark.browser
@pytest.mark.usefixtures("browser")
def test_the_whole_page_is_drawn_in_its_scheme_and_scripts_do_not_run(tmp_path: Path) -> None:
    light, dark = tmp_path / "light.png", tmp_path / "dark.png"

    pictures(PAGE.format(height=1234), {light: Shot(width=375, scheme="light"), dark: Shot(width=640, scheme="dark")})

    with Image.open(light) as picture:
        assert picture.size == (375, 1234)
        assert picture.convert("RGB").getpixel((370, 1230)) == (255, 255, 255)
    with Image.open(dark) as picture:
        assert picture.size == (640, 1234)
        assert picture.convert("RGB").getpixel((5, 5)) == (0, 0, 128)


@pytest.mark.browser
@pytest.mark.usefixtures("browser")
def test_a_page_without_end_is_cut_off(tmp_path: Path) -> None:
    target = tmp_path / "long.png"

    pictures(PAGE.format(height=90_000), {target: Shot(width=100, scheme="light")})

    with Image.open(target) as picture:
        assert picture.size == (100, screenshots.MAX_HEIGHT)


@pytest.mark.browser
@pytest.mark.usefixtures("browser")
def test_a_folder_that_is_not_there_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        pictures("", {tmp_path / "nowhere" / "a.png": Shot(width=100, scheme="light")})


def test_without_playwright_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)

    with pytest.raises(NoBrowserError, match=r"Playwright is not installed.*newsdesk\[screenshots\]"):
        pictures("", {tmp_path / "a.png": Shot(width=100, scheme="light")})


def test_a_chromium_that_does_not_start_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NoBrowserError, match=rf"Chromium \({broken}\) failed: .*"):
        pictures("", {tmp_path / "a.png": Shot(width=100, scheme="light")})
