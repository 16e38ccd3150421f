"""Judges that are not ours: npm's mjml and axe-core, Chromium, SpamAssassin. What is missing is skipped, in CI it fails."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from newsdesk import screenshots

HERE = Path(__file__).parent


def missing(what: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"{what}; CI must have it")
    pytest.skip(what)


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The folder of the pinned npm packages, installed once into the user's cache."""
    npm = shutil.which("npm")
    if npm is None:
        missing("no npm on this machine")
    lock = (HERE / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "newsdesk-proofs"
    folder = cache / hashlib.sha256(lock).hexdigest()[:16]
    cache.mkdir(parents=True, exist_ok=True)
    # Several processes run tests; one installs, the others wait.
    with (cache / "lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            _install(npm, folder)
    return folder / "node_modules"


def _install(npm: str, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        missing(f"npm ci failed: {done.stderr.strip()[-300:]}")
    (folder / "ready").touch()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    # No longer than its file: while Playwright runs, Django takes this process for an asynchronous one.
    try:
        screenshots.program()
    except screenshots.NoBrowserError as error:
        missing(str(error))
    with screenshots.chromium() as opened:
        yield opened
