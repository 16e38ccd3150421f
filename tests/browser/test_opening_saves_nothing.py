"""Whoever opens an edition and does nothing has edited nothing, and whatever was typed is saved, however slow the machine is."""

from typing import Any

import pytest

from composer.models import Edition
from tasks.approvals.approving import approve_edition
from tests.browser.held_scripts import hold_the_last_script, wait_until_held
from tests.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: Wagtail's editors of rich text write their fields 250 ms after they were built; here long after the form was looked at.
SLOW = """
    const wait = window.setTimeout;
    window.setTimeout = (act, time, ...given) => wait(act, time === 250 ? 3000 : time, ...given);
"""
NOTED = """
    window.happened = [];
    for (const kind of ["w-unsaved:watch-edits", "w-unsaved:clear", "w-unsaved:add", "w-autosave:save"])
        addEventListener(kind, () => happened.push(kind));
"""
WRITTEN = "() => !/^{\\s/.test(document.getElementById('id_introduction').value)"
#: Wagtail looks every 150 ms, tells half a second later, and notes anew two seconds after the page opened.
LOOKED = 1500


@pytest.mark.parametrize("key", ["", "Tab"])
@pytest.mark.parametrize("approved", [False, True])
def test_opening_an_edition_saves_nothing(
    desk: Any, live_server: Any, edition: Edition, approved: bool, key: str
) -> None:
    if approved:
        approve_edition(edition, None)
    before = edition.revisions.count()
    desk.add_init_script(SLOW + NOTED)
    desk.goto(f"{live_server.url}/desk/editions/edit/{edition.pk}/")
    if key:
        desk.keyboard.press(key)
    desk.wait_for_function(WRITTEN)
    desk.wait_for_timeout(LOOKED)

    happened = desk.evaluate("happened")
    assert "w-unsaved:add" not in happened
    assert "w-autosave:save" not in happened
    assert edition.revisions.count() == before
    assert desk.get_by_text("You have unsaved edits").count() == 0
    if not approved:
        desk.fill("#id_title", "Ferries")
        assert eventually(lambda: Edition.objects.get(pk=edition.pk).title == "Ferries")


#: Somebody types into another field at the moment at which the first save is answered.
TYPED_MEANWHILE = """
    const real = window.fetch;
    let saves = 0;
    window.fetch = async (url, options) => {
        const answer = await real(url, options);
        if (String(url).includes("/editions/edit/") && !saves++) document.getElementById("id_preheader").value = "Typed meanwhile";
        return answer;
    };
"""


def test_what_is_typed_while_a_save_is_under_way_is_saved_too(desk: Any, live_server: Any, edition: Edition) -> None:
    desk.add_init_script(TYPED_MEANWHILE + NOTED)
    desk.goto(f"{live_server.url}/desk/editions/edit/{edition.pk}/")
    desk.wait_for_function(WRITTEN)
    desk.wait_for_function("() => happened.includes('w-unsaved:watch-edits')")

    desk.fill("#id_title", "Ferries")

    assert eventually(lambda: Edition.objects.get(pk=edition.pk).preheader == "Typed meanwhile")


def test_what_is_typed_at_once_is_saved(desk: Any, live_server: Any, edition: Edition) -> None:
    """Wagtail looks at a form for the first time two seconds after it opened."""
    desk.goto(f"{live_server.url}/desk/editions/edit/{edition.pk}/", wait_until="domcontentloaded")
    desk.wait_for_function("() => window.newsdesk?.stream")
    desk.fill("#id_preheader", "Typed at once")

    assert eventually(lambda: Edition.objects.get(pk=edition.pk).preheader == "Typed at once")


def test_what_is_typed_while_scripts_are_loaded_is_saved(desk: Any, live_server: Any, edition: Edition) -> None:
    held = hold_the_last_script(desk)
    desk.goto(f"{live_server.url}/desk/editions/edit/{edition.pk}/", wait_until="commit")
    desk.locator("#id_preheader").wait_for()
    wait_until_held(desk, held)
    desk.wait_for_timeout(1000)
    desk.fill("#id_preheader", "Typed while it loads")
    held[0].continue_()

    assert eventually(lambda: Edition.objects.get(pk=edition.pk).preheader == "Typed while it loads")
