"""Every page of the desk, as an administrator sees it: whole, on a desk and on a phone, in the light and in the dark."""

import gc
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from composer.models import Publication
from newsdesk.core.paths import samples_dir
from tests.browser import axe
from tests.browser.desk_pages import ACTS, ENTRANCES, addresses
from tests.browser.desk_world import make_desk_world
from tests.browser.logins import forget_login
from tests.browser.pictures import picture

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Wagtail leaves the file open into which it draws a smaller picture.
    pytest.mark.filterwarnings("ignore:.*SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning"),
]

DESK, PHONE = {"width": 1360, "height": 900}, {"width": 390, "height": 844}
#: Pages are divided among so many tests: axe takes its time.
PARTS = 5
#: What no screen says.
WORDS = re.compile(r"\b(?:un)?publish(?:es|ed|ing)?\b|\b(?:live|moderation|snippets?|campaigns?)\b", re.IGNORECASE)
CLOCK = re.compile(r"\b\d{1,2}:\d{2}\b")
ZONE = re.compile(r"\b(?:UTC|[A-Z][a-z]+/[A-Z]\w+)\b")
#: Pixels by which a page may be wider than its window: browsers round.
SLACK = 1

#: What is read on the page, by eye and by ear; a text with what stands around it in the same paragraph, cell or field.
TEXTS = """() => {
    const said = [];
    const shown = element => element.checkVisibility({ visibilityProperty: true });
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode, parent = node.parentElement;
        if (!node.data.trim() || parent.closest("script, style, template, textarea, iframe, svg") || !shown(parent)) continue;
        const around = parent.closest("p, li, td, th, fieldset, label, h1, h2, h3, button, .w-field__wrapper, form") || parent;
        said.push([node.data.trim(), around.innerText]);
    }
    for (const element of document.querySelectorAll("body *")) {
        if (element.closest("template, iframe")) continue;
        for (const name of ["title", "aria-label", "placeholder", "alt", "data-w-tooltip-content-value"]) {
            if (element.getAttribute(name)) said.push([element.getAttribute(name), element.getAttribute(name)]);
        }
    }
    said.push([document.title, document.title]);
    return JSON.stringify(said);
}"""
#: Headings and buttons that lie, even in part, under the button of the phone's menu.
UNDER_THE_MENU = """() => {
    const menu = document.querySelector("button[aria-controls='wagtail-sidebar'], .sidebar-nav-toggle");
    if (!menu || !menu.checkVisibility()) return [];
    const box = menu.getBoundingClientRect();
    return [...document.querySelectorAll("main h1, main h2, main a, main button, main p, .messages li")].filter(element => {
        if (menu.contains(element) || element.closest(".w-sr-only") || !element.checkVisibility({ visibilityProperty: true })) return false;
        const range = document.createRange();
        range.selectNodeContents(element);
        return [...range.getClientRects()].some(there => there.width > 1 && there.height > 1
            && there.left < box.right && there.right > box.left && there.top < box.bottom && there.bottom > box.top);
    }).map(element => element.textContent.trim().slice(0, 60));
}"""
#: Columns so narrow that a word of more than three letters stands on more than two lines.
BROKEN_WORDS = """() => [...document.querySelectorAll("main :is(td, th, li, p, a, dd, h1, h2, h3)")].filter(element => {
    const node = [...element.childNodes].find(child => child.nodeType === 3 && /\\S{4,}/.test(child.data));
    if (!node || !element.checkVisibility({ visibilityProperty: true })) return false;
    const word = /\\S{4,20}/.exec(node.data), range = document.createRange();
    range.setStart(node, word.index);
    range.setEnd(node, word.index + word[0].length);
    return new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 2;
}).map(element => element.textContent.trim().slice(0, 60))"""


#: Nothing is looked at halfway.
AT_REST = "*, *::before, *::after { transition: none !important; animation: none !important; }"


class Listener:
    """What goes wrong while a page is loaded."""

    def __init__(self, context: Any) -> None:
        self.faults: list[str] = []
        context.on("console", self._said)
        context.on("weberror", lambda error: self.faults.append(f"script: {error.error}"))
        context.on("response", self._answered)

    def _said(self, message: Any) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text}")

    def _answered(self, response: Any) -> None:
        if response.status >= 400:
            self.faults.append(f"{response.status} {response.url}")

    def take(self) -> list[str]:
        taken, self.faults = self.faults, []
        return taken


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path, live_server: Any) -> None:
    settings.MEDIA_ROOT, settings.BASE_URL = tmp_path / "media", live_server.url


# There is a page, and an alarm on the first one, as long as it is asked.
@pytest.mark.usefixtures("asked_what_the_database_is")
@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_is_whole(page: Any, desk: Any, live_server: Any, publication: Publication, part: int) -> None:
    listener = Listener(page.context)
    faults: list[str] = []
    for name in _opened(page, live_server.url, publication, part):
        faults += [f"{name}: {fault}" for fault in (*listener.take(), *_looked_at(page, name))]
    gc.collect()
    assert not faults, "\n".join(faults)


def _opened(page: Any, url: str, publication: Publication, part: int) -> Iterator[str]:
    """Each page in turn, opened at a desk's width in the light."""
    paths = addresses(make_desk_world(publication))
    starts = {**{name: (name, None) for name in paths}, **ACTS}
    for name, (start, act) in list(starts.items())[part::PARTS]:
        _as_at_a_desk(page)
        page.goto(url + paths[start])
        if act:
            act(page)
        page.wait_for_load_state("networkidle")
        page.add_style_tag(content=AT_REST)
        yield name
    if part:
        return
    forget_login(page)
    for name, path in ENTRANCES.items():
        _as_at_a_desk(page)
        page.goto(url + path)
        yield name


def _as_at_a_desk(page: Any) -> None:
    page.set_viewport_size(DESK)
    page.emulate_media(color_scheme="light")


def _looked_at(page: Any, name: str) -> Iterator[str]:
    headings = page.locator("h1").count()
    if headings != 1:
        yield f"{headings} h1"
    yield from _words(page)
    for width, size in (("desk", DESK), ("phone", PHONE)):
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            if width == "desk":
                rules = axe.COLOURS if scheme == "dark" else ()
                yield from (f"{scheme}: {fault}" for fault in axe.faults(page, rules))
            picture(page, f"{name}-{width}-{scheme}", full_page=True)
    wide = page.evaluate("document.documentElement.scrollWidth") - PHONE["width"]
    if wide > SLACK:
        yield f"{wide} pixels wider than a phone"
    yield from (f"under the menu's button: {text}" for text in page.evaluate(UNDER_THE_MENU))
    yield from (f"broken into letters: {text}" for text in page.evaluate(BROKEN_WORDS))


def _words(page: Any) -> Iterator[str]:
    """Words that no screen says, and times without their zone. What the stories say is theirs."""
    ours = " ".join(" ".join(file.read_text() for file in samples_dir().glob("*.txt")).split()).casefold()
    for text, around in json.loads(page.evaluate(TEXTS)):
        said = " ".join(text.split())
        for found in WORDS.finditer(said):
            if said[max(found.start() - 8, 0) : found.end() + 8].strip(" …").casefold() not in ours:
                yield f"says {said[max(found.start() - 30, 0) : found.end() + 30]!r}"
        if CLOCK.search(said) and not ZONE.search(around):
            yield f"a time without its zone: {said[:80]!r}"
