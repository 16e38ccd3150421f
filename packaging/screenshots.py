"""`make screenshots`: the pictures of the README and the guide, taken at the desk of a throw-away home after the demo."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import PIL.Image as Pillow

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
SAMPLES = ROOT / "newsdesk" / "samples"
READERS = 2000
#: Seconds until the desk answers; the home is there by then.
UNTIL_UP = 300.0
#: CSS pixels, for each of which the picture has one.
WINDOW = {"width": 1200, "height": 750}
#: Of each picture; a page of text needs no more.
COLOURS = 96
#: Of a picture, in bytes: what `tests/docs` allows.
MOST = 150_000
AT_REST = (
    "*, *::before, *::after { transition: none !important; animation: none !important; caret-color: transparent; }"
)


def main() -> int:
    sys.path.insert(0, str(ROOT))
    from newsdesk.core.home import Home
    from newsdesk.screenshots import chromium

    folder = Path(tempfile.mkdtemp(prefix="newsdesk-screenshots-"))
    # The engines' account must be able to enter it.
    folder.chmod(0o711)
    try:
        _newsdesk(folder, "demo", "--subscribers", str(READERS))
        home = Home(folder)
        with _running(folder, home), chromium() as browser:
            page = browser.new_page(viewport=WINDOW, color_scheme="light", timezone_id="Asia/Singapore")
            Tour(page, home).take()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


class Tour:
    """The README's, page by page."""

    def __init__(self, page: Any, home: Any) -> None:
        self.page, self.home, self.desk = page, home, f"{home.base_url()}/desk"

    def take(self) -> None:
        self._log_in()
        self._go("publications/edit/1/")
        self._weekly_slot()
        self._paste()
        self._schedule()
        self._go("")
        self._picture("home")
        self._go("calendar/")
        self._picture("calendar")

    def _log_in(self) -> None:
        self._go("login/")
        self.page.fill("#id_username", "editor")
        self.page.fill("#id_password", self.home.first_password())
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(f"{self.desk}/")

    def _weekly_slot(self) -> None:
        self.page.locator("[name=cadence_weekday]").select_option(label="Tuesday")
        self.page.locator("[name=cadence_time]").fill("09:00")
        self.page.locator("form[data-edit-form] button[type=submit]").first.click()
        self.page.wait_for_url("**/publications/")

    def _paste(self) -> None:
        self._go("add-stories/")
        self.page.get_by_label("The digest").fill((SAMPLES / "technology-week.txt").read_text(encoding="utf-8"))
        self._picture("paste")
        self.page.get_by_role("button", name="Read it").click()
        self.page.get_by_role("button", name="Make the edition").wait_for()
        self._picture("report")
        self.page.get_by_role("button", name="Make the edition").click()
        self.page.get_by_role("button", name="Approve and schedule").wait_for()
        self._picture("edition")

    def _schedule(self) -> None:
        self.page.get_by_role("button", name="Approve and schedule").click()
        self.page.get_by_role("radio", name="At the next slot", exact=True).check()
        self.page.get_by_role("button", name="Schedule", exact=True).click()
        self.page.get_by_role("button", name="Yes, send it").wait_for()
        self._picture("schedule")
        self.page.get_by_role("button", name="Yes, send it").click()
        self.page.locator(".desk-send__status", has_text="Scheduled").wait_for()

    def _go(self, path: str) -> None:
        self.page.goto(f"{self.desk}/{path}")

    def _picture(self, name: str) -> None:
        self.page.wait_for_load_state("networkidle")
        self.page.add_style_tag(content=AT_REST)
        picture = (
            Pillow.open(BytesIO(self.page.screenshot())).convert("RGB").quantize(COLOURS, dither=Pillow.Dither.NONE)
        )
        path = IMAGES / f"{name}.png"
        picture.save(path, optimize=True)
        size = path.stat().st_size
        if size > MOST:
            sys.exit(f"{path.name} has {size:,} bytes; at most {MOST:,} are wanted")
        print(f"{path.relative_to(ROOT)} {size:,} bytes")  # noqa: T201 - a script says what it wrote


@contextmanager
def _running(folder: Path, home: Any) -> Iterator[None]:
    """`newsdesk up` in that home while the block runs."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        _command("up"), env=_environment(folder), stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        _wait(lambda: bool(home.run_state()) and _answers(f"{home.base_url()}/healthz"), process)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _wait(condition: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + UNTIL_UP
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit("newsdesk up does not come up; what it said stands above")
        time.sleep(0.5)


def _answers(url: str) -> bool:
    import urllib.request

    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - loopback
            return bool(response.status == 200)
    except OSError:
        return False


def _newsdesk(folder: Path, *words: str) -> None:
    subprocess.run(_command(*words), env=_environment(folder), check=True)  # noqa: S603 - our own program


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "newsdesk", *words]


def _environment(folder: Path) -> dict[str, str]:
    """Nobody's settings: the pictures are the same everywhere."""
    rest = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("NEWSDESK_", "SENDGRID_", "DATABASE_"))
    }
    return {
        **rest,
        "NEWSDESK_HOME": str(folder),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }


if __name__ == "__main__":
    sys.exit(main())
