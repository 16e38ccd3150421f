"""The buttons of an edition's form wait for its stories, and are the form's own."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from composer.models import Edition, Publication
from tasks.models import Send
from tests import factories
from tests.browser.held_scripts import hold_the_last_script, wait_until_held
from tests.browser.pictures import picture
from tests.browser.test_edition_page import blocks
from tests.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_nothing_is_submitted_before_the_stories_stand_in_the_form(
    desk: Any, live_server: Any, edition: Edition
) -> None:
    held = hold_the_last_script(desk)
    posted: list[str] = []
    desk.on(
        "request",
        lambda request: (
            posted.append(request.url) if request.method == "POST" and request.is_navigation_request() else None
        ),
    )
    desk.goto(f"{live_server.url}/desk/editions/edit/{edition.pk}/", wait_until="commit")
    schedule = desk.get_by_role("button", name="Approve and schedule")
    expect(schedule).to_be_disabled()
    desk.locator("#id_title").press("Enter")
    picture(desk, "not-yet")
    wait_until_held(desk, held)
    assert posted == []

    held[0].continue_()
    schedule.click()
    desk.get_by_role("heading", name="Schedule").first.wait_for()
    assert len(posted) == 1


def test_the_buttons_of_a_new_edition_leave_those_of_its_stories_alone(
    desk: Any, live_server: Any, publication: Publication
) -> None:
    desk.goto(f"{live_server.url}/desk/editions/add/")
    desk.get_by_role("button", name="Insert a block").first.click()
    desk.get_by_role("option", name="Story").first.click()
    desk.locator("input[name$='-value-headline']").first.fill("Ferries sail again")
    desk.fill("#id_title", "Ferries")
    desk.get_by_role("button", name="Approve and schedule").wait_for()

    assert blocks(desk) == ["Ferries sail again"]
    assert desk.locator(".desk-copy").get_by_role("button").all_inner_texts() == ["Refresh from story", "Save to story"]
    expect(desk.locator(".footer").get_by_role("button", name="Approve and schedule")).to_be_enabled()


def test_a_send_is_paused_and_its_edition_reopened_without_waiting_for_scripts(desk: Any, live_server: Any) -> None:
    send = factories.make_send(3, scheduled_at=timezone.now() + timedelta(days=3))
    page = f"{live_server.url}/desk/editions/edit/{send.edition_id}/"
    hold_the_last_script(desk)
    desk.goto(page, wait_until="commit")
    desk.get_by_role("button", name="Pause").click(no_wait_after=True)
    assert eventually(lambda: Send.objects.get(pk=send.pk).status == Send.Status.PAUSED)

    desk.goto(page, wait_until="commit")
    desk.get_by_role("button", name="Reopen").click(no_wait_after=True)
    assert eventually(lambda: not Send.objects.get(pk=send.pk).approval.stands)
