"""How long an editor waits for the live preview: 50 edits of an edition of twelve stories, with autosave on.

    python benchmarks/preview.py [--edits 50] [--mode html]

Everything runs as `newsdesk up` runs it in a new home; Chromium has the edition's page open with the preview beside it. A word is
typed at the end of one headline after another, and the time is that from the last key until the preview shows the word, by the page's
own clock. Beside it stand the milliseconds that the browser waited for each kind of request: the form that is posted for the
preview, the preview itself, and the automatic saves that run between them with all their checks. Target: p95 within a second.
"""

import argparse
import os
import platform
import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.support import up as ups
from newsdesk.core.home import Home
from newsdesk.local_stack.preparation import FIRST_USER
from newsdesk.screenshots import chromium

#: Milliseconds between an edit that was shown and the next: the automatic save of the one meets the preview of the other.
PAUSE = 700
#: Wagtail looks how the form was two seconds after it opened; what is typed before is no edit.
_WATCHED = 'addEventListener("w-unsaved:watch-edits", () => { document.documentElement.dataset.watched = "yes"; })'
_NOTE_KEYS = 'document.addEventListener("input", () => { window.typedAt = performance.now(); }, true)'
_GO_TO_HEADLINE = (
    'at => window.newsdesk.jump({ jumpBlock: window.newsdesk.stream.children[at].id, jumpField: "headline" })'
)
_SHOWN = """(word) => new Promise((done, fail) => {
    setTimeout(() => fail(new Error(`${word} is not shown within a minute`)), 60000);
    const look = () => {
        const page = document.getElementById("w-preview-iframe")?.contentDocument;
        if (page?.body?.textContent.includes(word)) done(performance.now() - window.typedAt);
        else requestAnimationFrame(look);
    };
    look();
})"""


def measured(home: Home, edition: int, edits: int, mode: str) -> tuple[list[float], dict[str, list[float]]]:
    """Milliseconds of each edit, and of the requests by kind."""
    requests: dict[str, list[float]] = defaultdict(list)
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.add_init_script(_WATCHED)
        page.goto(f"{home.base_url()}/desk/login/")
        page.fill("#id_username", FIRST_USER)
        page.fill("#id_password", home.first_password())
        page.click("button[type=submit]")
        page.wait_for_url("**/desk/")
        page.goto(f"{home.base_url()}/desk/editions/edit/{edition}/")
        # It was composed and approved at the command line.
        page.get_by_role("button", name="Reopen").click()
        page.get_by_role("button", name="Save", exact=True).wait_for()
        page.evaluate(_NOTE_KEYS)
        page.wait_for_selector("html[data-watched]")
        page.click("[data-side-panel-toggle=preview]")
        page.select_option("#id_preview_mode", mode)
        page.on("requestfinished", lambda request: _note(request, requests))
        times = [_edit(page, at) for at in range(-3, edits)][3:]
        page.wait_for_timeout(2000)
    return times, requests


def _edit(page: Any, at: int) -> float:
    page.wait_for_timeout(PAUSE)
    word = f"Word{at + 3:03}"
    page.evaluate(_GO_TO_HEADLINE, at % 12)
    headline = page.locator(":focus")
    headline.press("End")
    headline.press_sequentially(f" {word}", delay=30)
    return float(page.evaluate(_SHOWN, word))


def _note(request: Any, requests: dict[str, list[float]]) -> None:
    path = request.url.partition("?")[0]
    if "/preview/" in path:
        kind = "preview posted" if request.method == "POST" else "preview shown"
    elif request.method == "POST" and "/editions/edit/" in path:
        kind = "saved"
    else:
        return
    requests[kind].append(request.timing["responseEnd"])


def percentile(values: Sequence[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edits", type=int, default=50)
    parser.add_argument("--mode", default="html")
    asked = parser.parse_args()
    with ups.running() as up:
        edition = ups.publish(up, 10)
        times, requests = measured(up.home, edition, asked.edits, asked.mode)
    for kind, spent in {"typed until shown": times, **requests}.items():
        print(
            f"{kind:18} {len(spent):4}  median {statistics.median(spent):6.0f} ms  p95 {percentile(spent, 0.95):6.0f} ms"
            f"  longest {max(spent):6.0f} ms"
        )
    print(
        f"{asked.edits} edits · Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
