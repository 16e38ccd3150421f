"""From logging in to “Scheduled”, and an answer that everything waits for, by Tab, arrows, Space and Enter alone; focus is seen wherever it goes."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import expect

from composer.models import Publication
from newsdesk.core.paths import samples_dir
from subscribers.models import List
from tasks.models import Send
from tasks.sends import database_behind
from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: No page of the desk has as many stops on the way to anything that is needed.
MOST_STOPS = 80
#: What the element with the focus is called, and whether its focus can be seen: by an outline or a shadow of its own, of what
#: stands around it, or of what is drawn for it.
FOCUS = """() => {
    const element = document.activeElement;
    if (!element || element === document.body) return { name: "" };
    const named = (element.getAttribute("aria-labelledby") || "").split(" ").map(id => document.getElementById(id)?.innerText || "").join(" ");
    const name = named.trim() || element.getAttribute("aria-label") || element.labels?.[0]?.innerText || element.innerText || element.value || "";
    const seen = [element, element.parentElement].some(one => [null, "::before", "::after"].some(part => {
        const style = getComputedStyle(one, part);
        return style.boxShadow !== "none" || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0);
    }));
    return { name: name.replaceAll("*", "").trim().replace(/\\s+/g, " "), seen, html: element.outerHTML.slice(0, 160) };
}"""
IN_SIGHT = """() => {
    const box = document.activeElement.getBoundingClientRect();
    return box.width > 0 && box.bottom > 0 && box.top < innerHeight;
}"""


class Keyboard:
    """The page, for somebody who has no mouse."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.unseen: set[str] = set()

    def press(self, key: str) -> dict[str, Any]:
        self.page.keyboard.press(key)
        return self._focus()

    def go_to(self, name: str, *, key: str = "Tab") -> None:
        """Press Tab until the focus is there."""
        stops = []
        for _ in range(MOST_STOPS):
            focus = self.press(key)
            stops.append(focus["name"])
            if focus["name"] == name:
                return
        pytest.fail(f"no way to {name!r} within {MOST_STOPS} stops: {stops}")

    def _focus(self) -> dict[str, Any]:
        focus: dict[str, Any] = self.page.evaluate(FOCUS)
        if focus["name"]:
            # The page may still be on its way there.
            self.page.wait_for_function(IN_SIGHT)
        if focus["name"] and not focus["seen"]:
            self.unseen.add(focus["html"])
        return focus


def test_from_login_to_scheduled(page: Any, live_server: Any, publication: Publication) -> None:
    get_user_model().objects.create_superuser("ada", "ada@example.com", "secret", first_name="Ada")
    readers = List.objects.create(publication=publication, slug="readers", name="Readers")
    for _ in range(3):
        factories.make_subscriber(readers)
    keys = Keyboard(page)

    page.goto(f"{live_server.url}/desk/login/")
    if page.evaluate(FOCUS)["name"] != "Username":
        keys.go_to("Username")
    page.keyboard.type("ada")
    keys.go_to("Password")
    page.keyboard.type("secret")
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/")

    keys.go_to("Paste a digest")
    page.keyboard.press("Enter")
    page.get_by_label("The digest").wait_for()
    keys.go_to("The digest")
    page.keyboard.insert_text((samples_dir() / "technology-week.txt").read_text())
    keys.go_to("Read it")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Make the edition").wait_for()
    keys.go_to("Make the edition")
    page.keyboard.press("Enter")
    # Until the stories stand in the form it is passed over.
    expect(page.get_by_role("button", name="Approve and schedule")).to_be_enabled()
    # It is near the end of a page with twelve stories: backwards.
    keys.go_to("Approve and schedule", key="Shift+Tab")
    page.keyboard.press("Enter")
    page.get_by_role("radio", name="At a time", exact=True).wait_for()
    keys.go_to("Now")
    keys.press("Space")
    assert keys.press("ArrowDown")["name"] == "At a time"
    keys.go_to("Day and time")
    for part in ("12", "01", "2099", "ArrowRight", "09", "00", "AM"):
        if part.startswith("Arrow"):
            page.keyboard.press(part)
        else:
            page.keyboard.type(part)
    keys.go_to("Schedule")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Yes, send it").wait_for()
    assert not Send.objects.exists()
    keys.go_to("Yes, send it")
    page.keyboard.press("Enter")
    page.locator(".desk-send__status", has_text="Scheduled").wait_for()

    assert f"{Send.objects.get().scheduled_at:%Y-%m-%d %H:%M}" == "2099-12-01 01:00"
    assert keys.unseen == set()


@pytest.mark.usefixtures("asked_what_the_database_is")
def test_what_the_database_is(desk: Any, live_server: Any) -> None:
    keys = Keyboard(desk)

    keys.go_to("Answer what this database is")
    desk.keyboard.press("Enter")
    desk.wait_for_url("**/desk/confirm-database/")
    keys.go_to("It is the newest: nothing was sent that it does not know of")
    assert keys.press("ArrowDown")["name"] == "It came from a backup, or I do not know"
    keys.go_to("Answer")
    assert not database_behind.agrees()
    desk.keyboard.press("Enter")
    desk.get_by_text("Your answer: the database came from a backup.").wait_for()

    assert database_behind.agrees()
    assert keys.unseen == set()
