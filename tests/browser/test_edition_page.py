"""The edition's page in a real browser: its title, its buttons, its checks."""

from typing import Any

import pytest

from composer.models import Edition, Publication
from tests.browser.pictures import picture
from tests.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: Whether what has the focus can be seen, not hidden behind the buttons.
UNCOVERED = """() => {
    const box = document.activeElement.getBoundingClientRect();
    const bar = document.querySelector("footer.footer").getBoundingClientRect();
    return box.bottom <= bar.top + 1 && box.top >= 0;
}"""


#: The form is noted at once and, for the last time, two seconds later: by then everything stands where it stays.
WATCHED = """{
    let noted = 0;
    addEventListener("w-unsaved:watch-edits", () => { if (++noted > 1) document.documentElement.dataset.watched = "yes"; });
}"""


def go(desk: Any, url: str) -> None:
    desk.add_init_script(WATCHED)
    desk.goto(url)
    desk.wait_for_selector("html[data-watched]")


def open_edition(desk: Any, live_server: Any, edition: Edition) -> None:
    go(desk, f"{live_server.url}/desk/editions/edit/{edition.pk}/")
    desk.wait_for_selector("input[name$='-value-headline']", state="attached")


@pytest.mark.parametrize("width", [1360, 390])
def test_the_title_stands_once_and_the_buttons_cover_nothing(
    desk: Any, live_server: Any, edition: Edition, width: int
) -> None:
    desk.set_viewport_size({"width": width, "height": 760})
    open_edition(desk, live_server, edition)

    assert desk.locator("#header-title").bounding_box()["width"] <= 1
    picture(desk, f"edition-{width}")
    for name in ("title", "preheader", "closing_heading", "call_to_action_url"):
        field = desk.locator(f"#id_{name}")
        field.focus()
        desk.wait_for_function(UNCOVERED)
    buttons = desk.locator(".footer .desk-actions").bounding_box()
    assert buttons["x"] >= 0
    assert buttons["x"] + buttons["width"] <= width


def test_a_new_edition_gets_all_its_buttons_from_the_first_save_on(
    desk: Any, live_server: Any, publication: Any
) -> None:
    go(desk, f"{live_server.url}/desk/editions/add/")
    assert desk.get_by_role("button", name="Approve and schedule").count() == 0
    desk.fill("#id_title", "Ferries")
    picture(desk, "new-edition")
    desk.get_by_role("button", name="Approve and schedule").wait_for()

    assert desk.get_by_role("button", name="Approve", exact=True).count() == 1
    desk.click("[data-side-panel-toggle=test]")
    desk.locator("#desk-test-addresses").wait_for()
    assert "/editions/edit/" in desk.url


def test_checks_lead_to_what_they_speak_of_and_keep_step_with_autosave(
    desk: Any, live_server: Any, edition: Edition
) -> None:
    story = edition.content[3].value
    story["headline"] = ""
    edition.call_to_action_label, edition.call_to_action_url = "", "https://example.com/"
    edition.save_revision()
    open_edition(desk, live_server, edition)
    badge = desk.locator("[data-side-panel-toggle=checks] [data-side-panel-toggle-counter]")
    errors = int(badge.inner_text())

    desk.click("[data-side-panel-toggle=checks]")
    desk.get_by_role("link", name="Story 4: the story has no headline").click()
    assert desk.evaluate("document.activeElement.name").endswith("-value-headline")
    picture(desk, "edition-checks")
    desk.keyboard.type("A headline again")
    desk.wait_for_function(
        "errors => +document.querySelector('[data-side-panel-toggle=checks] [data-side-panel-toggle-counter]').innerText"
        " < errors",
        arg=errors,
    )
    assert desk.locator("[data-checks]").get_by_text("no headline").count() == 0
    desk.locator("[data-checks] a").filter(has_text="Call to action").first.click()
    assert desk.evaluate("document.activeElement.id") == "id_call_to_action_label"


def test_a_check_leads_to_a_field_behind_a_blocks_cogwheel_on_a_phone(
    desk: Any, live_server: Any, edition: Edition, publication: Publication
) -> None:
    edition.content[1].value["audience"] = "nobody"
    edition.save_revision()
    desk.set_viewport_size({"width": 390, "height": 760})
    open_edition(desk, live_server, edition)
    desk.click("[data-side-panel-toggle=checks]")
    desk.locator("[data-checks] a").filter(has_text="there is no segment").click()

    assert desk.evaluate("document.activeElement.name").endswith("-value-audience")
    assert desk.evaluate("document.activeElement.value") == "nobody"


def order(desk: Any) -> list[str]:
    names: list[str] = desk.locator(".desk-order__name").all_inner_texts()
    return names


def test_the_running_order_moves_the_blocks_by_keyboard_and_takes_a_move_back(
    desk: Any, live_server: Any, edition: Edition
) -> None:
    headlines = [placement.headline for placement in edition.placements.all()]
    open_edition(desk, live_server, edition)
    assert order(desk) == headlines
    first = desk.locator(".desk-order__item").first
    assert "words" in first.inner_text()
    assert "KB" in first.inner_text()
    assert "102 KB at which Gmail clips" in desk.locator("[data-order-sum]").inner_text()
    first.focus()
    picture(desk, "running-order")

    desk.keyboard.press("Alt+ArrowDown")
    moved = [headlines[1], headlines[0], *headlines[2:]]
    assert order(desk) == moved
    assert desk.locator("[data-order-said]").inner_text() == f"{headlines[0]}: now 2 of 12"
    assert desk.evaluate("document.activeElement.innerText").find(headlines[0]) >= 0
    assert blocks(desk) == moved
    wait_until_placed(edition, moved)

    desk.keyboard.press("Control+z")
    assert order(desk) == headlines == blocks(desk)
    desk.keyboard.press("ArrowDown")
    desk.keyboard.press("Enter")
    assert desk.evaluate("document.activeElement.closest('[data-streamfield-child]') !== null")


def test_the_running_order_is_dragged_and_follows_the_form(desk: Any, live_server: Any, edition: Edition) -> None:
    headlines = [placement.headline for placement in edition.placements.all()]
    open_edition(desk, live_server, edition)
    rows = desk.locator(".desk-order__item")
    rows.nth(3).drag_to(rows.nth(1))
    assert order(desk)[:4] == [headlines[0], headlines[3], headlines[1], headlines[2]]
    assert blocks(desk) == order(desk)

    desk.locator("[data-streamfield-child] button[title='Move up']").nth(1).click()
    desk.wait_for_function(
        "headline => document.querySelector('.desk-order__name').innerText === headline", arg=headlines[3]
    )


def blocks(desk: Any) -> list[str]:
    found: list[str] = desk.eval_on_selector_all(
        "[data-contentpath=content] input[name$='-value-headline']", "inputs => inputs.map(input => input.value)"
    )
    return found


def wait_until_placed(edition: Edition, headlines: list[str]) -> None:
    assert eventually(lambda: list(edition.placements.values_list("headline", flat=True)) == headlines)


def test_the_inbox_line_keeps_step_and_a_suggested_subject_is_taken(
    desk: Any, live_server: Any, edition: Edition
) -> None:
    open_edition(desk, live_server, edition)
    shown = desk.locator(".desk-inbox__phone")
    assert edition.title in shown.inner_text()
    suggestion = desk.locator("[data-subject]").first
    text = suggestion.inner_text()
    suggestion.click()
    assert desk.input_value("#id_subject") == text
    assert text in shown.inner_text()
    desk.fill("#id_preheader", "And what the islands say")
    assert "And what the islands say" in desk.locator(".desk-inbox__desktop").inner_text()
    desk.locator("[data-inbox-line]").scroll_into_view_if_needed()
    picture(desk, "inbox-line")
    desk.set_viewport_size({"width": 390, "height": 760})
    picture(desk, "inbox-line-390")
    assert eventually(lambda: Edition.objects.get(pk=edition.pk).subject == text)
