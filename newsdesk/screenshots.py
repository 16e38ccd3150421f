"""Pictures of a mail as Chromium shows it: Playwright (the extra newsdesk[screenshots]) drives the Chromium of this machine.

Playwright's own download of a browser is not used; the program is looked for under its usual names.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from newsdesk.core.errors import OperationFailedError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
#: Seconds for each thing Chromium is asked to do, loading a mail's images included.
PATIENCE = 60.0
#: Pixels; longer mails are cut off.
MAX_HEIGHT = 16_000
#: Chromium looks for nothing in the network but what the page names.
_FLAGS = ("--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update")


class NoBrowserError(OperationFailedError):
    """Playwright or Chromium is missing, does not start or does not answer; the message says which and what to do."""


Scheme = Literal["light", "dark"]


@dataclass(frozen=True, kw_only=True)
class Shot:
    #: CSS pixels.
    width: int
    scheme: Scheme


def program() -> str:
    """The path of Chromium. Raises NoBrowserError."""
    path = next((path for name in (*NAMES, *PLACES) if (path := shutil.which(name))), None)
    if not path:
        raise NoBrowserError(
            f"no Chromium was found (looked for {', '.join(NAMES)}); install one, or leave out --screenshots"
        )
    return path


def pictures(html: str, shots: dict[Path, Shot]) -> None:
    """Write a PNG of the whole page for each path. Scripts do not run. Raises NoBrowserError, OSError."""
    with tempfile.TemporaryDirectory(prefix="newsdesk-chromium-") as folder, chromium() as browser:
        page = Path(folder) / "page.html"
        page.write_text(html, encoding="utf-8")
        for path, shot in shots.items():
            path.write_bytes(_picture(browser, page, shot))


@contextmanager
def chromium() -> Iterator["Browser"]:
    """A running Chromium that ends with the block. Raises NoBrowserError, for what Playwright reports in the block too."""
    try:
        from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415 - an extra that need not be there
    except ImportError as error:
        raise NoBrowserError(
            "Playwright is not installed; install newsdesk[screenshots], or leave out --screenshots"
        ) from error
    path = program()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=path,
                args=_FLAGS,
                # Chromium's own sandbox refuses to run as root.
                chromium_sandbox=os.geteuid() != 0,
                timeout=PATIENCE * 1000,
            )
            try:
                yield browser
            finally:
                browser.close()
    except Error as error:
        raise NoBrowserError(f"Chromium ({path}) failed: {error.message.splitlines()[0]}") from error


def _picture(browser: "Browser", page: Path, shot: Shot) -> bytes:
    with browser.new_context(
        viewport={"width": shot.width, "height": 800}, color_scheme=shot.scheme, java_script_enabled=False
    ) as context:
        context.set_default_timeout(PATIENCE * 1000)
        tab = context.new_page()
        tab.goto(page.resolve().as_uri())
        height: int = tab.evaluate("document.documentElement.scrollHeight")
        # Captured beyond the window, backgrounds that fill it would end with it.
        tab.set_viewport_size({"width": shot.width, "height": min(MAX_HEIGHT, height)})
        return tab.screenshot()
