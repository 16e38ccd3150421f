"""Pictures of a mail as Chromium shows it. Speaks the DevTools protocol over a pipe: no driver, no port, no library.

The program is looked for under its usual names.
"""

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from newsdesk.core.errors import OperationFailedError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
#: Seconds for everything Chromium is asked in one go.
PATIENCE = 60.0
#: Pixels; longer mails are cut off.
MAX_HEIGHT = 16_000
_FLAGS = (
    *("--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--hide-scrollbars", "--mute-audio"),
    *("--no-first-run", "--no-default-browser-check", "--disable-extensions", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
)


class NoBrowserError(OperationFailedError):
    """Chromium is not on this machine, does not start or does not answer; the message says which."""


Scheme = Literal["light", "dark"]


@dataclass(frozen=True, kw_only=True)
class Shot:
    #: CSS pixels.
    width: int
    scheme: Scheme


def program() -> str:
    """The path of Chromium. Raises NoChromium."""
    found = next((path for name in (*NAMES, *PLACES) if (path := shutil.which(name))), None)
    if not found:
        raise NoBrowserError(
            f"no Chromium was found (looked for {', '.join(NAMES)}); install one, or leave out --screenshots"
        )
    return found


def pictures(html: str, shots: dict[Path, Shot]) -> None:
    """Write a PNG of the whole page for each path. Scripts do not run. Raises NoChromium, OSError."""
    with _folder() as own, _started(own / "profile") as browser:
        page = own / "page.html"
        page.write_text(html, encoding="utf-8")
        target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
        session = browser.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        browser.session = session
        browser.ask("Page.enable")
        browser.ask("Emulation.setScriptExecutionDisabled", value=True)
        for path, shot in shots.items():
            path.write_bytes(_picture(browser, page, shot))


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    # Chromium's helpers may still write while they end.
    with tempfile.TemporaryDirectory(prefix="newsdesk-chromium-", ignore_cleanup_errors=True) as path:
        yield Path(path)


def _picture(browser: "_Browser", page: Path, shot: Shot) -> bytes:
    media = [{"name": "prefers-color-scheme", "value": shot.scheme}]
    browser.ask("Emulation.setEmulatedMedia", media="screen", features=media)
    _resize(browser, shot.width, 800)
    browser.ask("Page.navigate", url=page.resolve().as_uri())
    browser.wait("Page.loadEventFired")
    height = browser.ask("Page.getLayoutMetrics")["cssContentSize"]["height"]
    # Captured beyond the window, backgrounds that fill it would end with it.
    _resize(browser, shot.width, min(MAX_HEIGHT, int(height + 0.999)))
    return base64.b64decode(browser.ask("Page.captureScreenshot", format="png")["data"])


def _resize(browser: "_Browser", width: int, height: int) -> None:
    browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)


@dataclass(kw_only=True)
class _Browser:
    requests: int
    answers: int
    ends: float
    session: str = ""
    asked: int = 0
    buffer: bytes = b""
    events: list[str] = field(default_factory=list)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.asked += 1
        message: dict[str, Any] = {"id": self.asked, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.events.clear()
        try:
            os.write(self.requests, json.dumps(message).encode() + b"\0")
        except OSError as error:
            raise NoBrowserError(f"Chromium has ended before {method}") from error
        while (answer := self._next(method)).get("id") != self.asked:
            self.events.append(answer.get("method", ""))
        if "error" in answer:
            raise NoBrowserError(f"Chromium refused {method}: {answer['error'].get('message')}")
        result: dict[str, Any] = answer["result"]
        return result

    def wait(self, event: str) -> None:
        while event not in self.events:
            self.events.append(self._next(event).get("method", ""))

    def _next(self, waiting_for: str) -> dict[str, Any]:
        while b"\0" not in self.buffer:
            left = self.ends - time.monotonic()
            if left <= 0 or not select.select([self.answers], [], [], left)[0]:
                raise NoBrowserError(f"Chromium did not answer within {PATIENCE:g} seconds ({waiting_for})")
            read = os.read(self.answers, 1 << 20)
            if not read:
                raise NoBrowserError(f"Chromium ended by itself ({waiting_for})")
            self.buffer += read
        line, _, self.buffer = self.buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message


@contextlib.contextmanager
def _started(profile: Path) -> Iterator[_Browser]:
    flags = [*_FLAGS, f"--user-data-dir={profile}"]
    if os.geteuid() == 0:  # Chromium's own sandbox refuses to run as root
        flags.append("--no-sandbox")
    path = program()
    (its_requests, requests), (answers, its_answers) = _pipe(), _pipe()
    actions = [(os.POSIX_SPAWN_DUP2, its_requests, 3), (os.POSIX_SPAWN_DUP2, its_answers, 4)]
    actions += [(os.POSIX_SPAWN_OPEN, output, os.devnull, os.O_WRONLY, 0) for output in (1, 2)]  # type: ignore[misc]
    try:
        pid = os.posix_spawn(path, [path, *flags, "about:blank"], os.environ, file_actions=actions, setpgroup=0)
    except OSError as error:
        raise NoBrowserError(f"{path} does not start: {error.strerror}") from error
    finally:
        os.close(its_requests)
        os.close(its_answers)
    try:
        yield _Browser(requests=requests, answers=answers, ends=time.monotonic() + PATIENCE)
    finally:
        os.close(requests)
        os.close(answers)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _pipe() -> tuple[int, int]:
    """Both ends far above the numbers Chromium expects, so that moving one does not overwrite the other."""
    low = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in low)
    for end in low:
        os.close(end)
    return high[0], high[1]
