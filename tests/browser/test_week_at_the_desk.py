"""From a pasted digest to a scheduled send, by the labels alone, counted in clicks."""

from typing import Any

import pytest

from composer.models import Edition, Publication
from newsdesk.core.paths import samples_dir
from subscribers.models import List, Subscriber, Subscription
from tasks.models import Send
from tests.browser.pictures import picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: From the desk's home to “Scheduled”.
MOST_CLICKS = 12


@pytest.fixture
def readers(publication: Publication) -> List:
    made = List.objects.create(publication=publication, slug="readers", name="Readers")
    for number in range(3):
        subscriber = Subscriber.objects.create(email=f"reader{number}@example.com")
        Subscription.objects.create(list=made, subscriber=subscriber, status="active")
    return made


class Clicks:
    def __init__(self, page: Any) -> None:
        self.page, self.count = page, 0

    def __call__(self, role: str, name: str) -> None:
        self.page.get_by_role(role, name=name, exact=True).first.click()
        self.count += 1


def test_a_digest_is_pasted_approved_scheduled_paused_and_cancelled(desk: Any, readers: List) -> None:
    page, click = desk, Clicks(desk)
    click("link", "Paste a digest")
    page.get_by_label("The digest").fill((samples_dir() / "technology-week.txt").read_text())
    click("button", "Read it")
    click("button", "Make the edition")
    click("button", "Approve and schedule")
    page.get_by_role("checkbox", name="Readers").wait_for()
    assert page.get_by_role("checkbox", name="Readers").is_checked()
    click("radio", "At a time")
    page.get_by_label("Day and time").fill("2099-12-01T09:00")
    click("button", "Schedule")
    page.get_by_text("3 readers of The Plain Machine on Readers").wait_for()
    assert not Send.objects.exists()
    picture(page, "confirm")
    click("button", "Yes, send it")
    page.locator(".desk-send__status", has_text="Scheduled").wait_for()
    picture(page, "scheduled")
    assert click.count <= MOST_CLICKS
    edition = Edition.objects.get()
    assert Send.objects.get().edition == edition

    click("button", "Pause")
    page.locator(".desk-send__status", has_text="Paused").wait_for()
    click("link", "Resume")
    click("button", "Yes, send it")
    page.locator(".desk-send__status", has_text="Scheduled").wait_for()
    click("link", "Cancel")
    click("button", "Yes, cancel it")
    page.locator(".desk-send__status", has_text="Cancelled").wait_for()
