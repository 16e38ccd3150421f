"""The whole week by two people, with real processes: a writer pastes and asks, a publisher approves, watches and settles."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.auth.hashers import make_password

from newsdesk.core.home import Home
from newsdesk.core.paths import samples_dir
from tests.browser.pictures import picture
from tests.machine import Desk, running_desk
from tests.waiting import eventually

pytestmark = pytest.mark.browser

PASSWORD = "rivers in the north 7"
READERS = 40
#: Nothing goes out as long as it holds, and nothing is refused for good: there is time to find the button.
BUSY = {"kind": "rate-limit", "retry_after": 1}
PEOPLE = (("wanda", "Wanda", "writer"), ("peter", "Peter", "publisher"))


@pytest.fixture
def newsroom(migrated_cluster: Path) -> Iterator[Desk]:
    """A running Newsdesk with a publication, its readers, a writer and a publisher."""
    with running_desk(READERS, migrated_cluster) as desk:
        employ(desk.up.home)
        yield desk


def employ(home: Home) -> None:
    """Make the two accounts, each with its role in the publication."""
    parts = home.database()
    with psycopg.connect(host=parts["HOST"], port=parts["PORT"], user=parts["USER"], dbname=parts["NAME"]) as database:
        for username, first_name, role in PEOPLE:
            database.execute(
                """
                WITH person AS (
                    INSERT INTO auth_user (username, email, password, first_name, last_name, date_joined,
                                           is_superuser, is_staff, is_active)
                    VALUES (%s, %s, %s, %s, '', now(), false, false, true) RETURNING id
                )
                INSERT INTO composer_membership (user_id, publication_id, role)
                SELECT person.id, composer_publication.id, %s FROM person, composer_publication
                """,
                [username, f"{username}@example.com", make_password(PASSWORD), first_name, role],
            )


def log_in(page: Any, desk: Desk, username: str) -> None:
    page.goto(f"{desk.up.url}/desk/login/")
    page.fill("#id_username", username)
    page.fill("#id_password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url("**/desk/")


def press(page: Any, role: str, name: str) -> None:
    page.get_by_role(role, name=name, exact=True).first.click()


def stands(page: Any, status: str) -> None:
    """Wait until the page says so of the send, without being asked again."""
    page.locator(".desk-send__status", has_text=status).wait_for()


def test_a_week_by_a_writer_and_a_publisher(page: Any, another_page: Any, newsroom: Desk) -> None:
    page.add_init_script(
        'addEventListener("w-unsaved:watch-edits", () => { document.documentElement.dataset.watched = "yes"; })'
    )
    log_in(page, newsroom, "wanda")
    edition = write(page)
    log_in(another_page, newsroom, "peter")
    newsroom.sandbox("/sandbox/faults", [BUSY])
    approve(another_page, edition)
    send = pause_and_resume(another_page, newsroom)
    settle_the_alarm(another_page, newsroom)
    read_the_result(another_page, newsroom, send)


def write(page: Any) -> str:
    """What the writer does; returns the edition's title."""
    press(page, "link", "Paste a digest")
    # One number is written otherwise: was it a headline?
    text = (samples_dir() / "technology-week.txt").read_text(encoding="utf-8").replace("\n7. ", "\n7) ")
    page.get_by_label("The digest").fill(text)
    press(page, "button", "Read it")
    page.locator(".desk-doubts li").wait_for()
    page.get_by_role("button", name="is a headline").click()
    page.locator(".desk-reading__stories li[value]").nth(11).wait_for()
    assert page.locator(".desk-doubts li").count() == 0
    picture(page, "story-settled")
    press(page, "button", "Make the edition")
    page.wait_for_url("**/editions/edit/**")
    title = str(page.input_value("#id_title"))

    rows = page.locator(".desk-order__name")
    headlines = rows.all_inner_texts()
    page.locator(".desk-order__item").nth(1).focus()
    page.keyboard.press("Alt+ArrowUp")
    assert rows.all_inner_texts()[:2] == [headlines[1], headlines[0]]
    page.click("[data-side-panel-toggle=preview]")
    page.wait_for_function(
        "headline => document.querySelector('#w-preview-iframe')?.contentDocument?.querySelector('h2')"
        "?.innerText.includes(headline)",
        arg=headlines[1],
    )

    # Mistyped: the check says so, and leads back to it.
    page.locator("#id_subject").press_sequentially("{{ frist_name }}, twelve stories")
    page.click("[data-side-panel-toggle=checks]")
    page.locator("[data-checks]").get_by_role("link", name="is not a merge tag").click()
    assert page.evaluate("document.activeElement.id") == "id_subject"
    page.keyboard.press("Control+a")
    page.keyboard.type("Twelve stories of the week")
    page.locator("[data-checks]").get_by_text("is not a merge tag").wait_for(state="detached")
    picture(page, "story-checked")
    assert page.get_by_role("button", name="Approve").count() == 0
    press(page, "button", "Ask for approval")
    page.locator(".messages").get_by_text("waits for approval").wait_for()
    return title


def approve(page: Any, title: str) -> None:
    needed = page.locator(".desk-alarms li", has_text="waits for your approval")
    assert "Wanda asked for it." in needed.inner_text()
    picture(page, "story-needs-you")
    needed.get_by_role("link", name="Open No. 1").click()
    press(page, "button", "Approve and schedule")
    page.get_by_role("radio", name="Now").check()
    press(page, "button", "Schedule")
    page.get_by_text("40 readers of The Weekly").first.wait_for()
    assert title in page.locator("main").inner_text()
    press(page, "button", "Yes, send it")
    page.locator(".desk-send__status").first.wait_for()


def pause_and_resume(page: Any, newsroom: Desk) -> int:
    """What the publisher does while it goes out; returns the send's id."""
    stands(page, "Sending")
    press(page, "button", "Pause")
    stands(page, "Paused")
    assert "Paused by Peter." in page.locator(".desk-send").inner_text()
    # A request that was under way when it was paused would be taken as soon as nothing is wrong any more.
    send = int(page.get_by_role("link", name="Resume", exact=True).get_attribute("href").rstrip("/").split("/")[-2])
    assert eventually(lambda: set(newsroom.batches(send)) == {"pending"}, interval=0.2)
    # What comes next is refused: the send pauses itself, and says so on the first page.
    newsroom.sandbox("/sandbox/faults", method="DELETE")
    newsroom.sandbox("/sandbox/faults", [{"kind": "credits-exceeded"}])
    press(page, "link", "Resume")
    press(page, "button", "Yes, send it")
    page.locator(".desk-send", has_text="credits").locator(".desk-send__status", has_text="Paused").wait_for()
    picture(page, "story-paused")
    return send


def settle_the_alarm(page: Any, newsroom: Desk) -> None:
    newsroom.sandbox("/sandbox/faults", method="DELETE")
    page.goto(f"{newsroom.up.url}/desk/")
    alarm = page.locator(".desk-alarms li", has_text="A send is paused")
    assert "newsdesk" not in alarm.inner_text()
    picture(page, "story-alarm")
    alarm.get_by_role("link", name="Resume: No. 1").click()
    press(page, "button", "Yes, send it")
    stands(page, "Sent")


def read_the_result(page: Any, newsroom: Desk, send: int) -> None:
    page.get_by_text("40 of 40 handed to the provider").wait_for()
    assert eventually(lambda: newsroom.delivered(send) == READERS, interval=0.2)
    page.locator(".desk-sends").get_by_text("40 delivered").first.wait_for()
    picture(page, "story-result")
    page.goto(f"{newsroom.up.url}/desk/")
    page.get_by_text("40 delivered").first.wait_for()
    assert page.locator(".desk-alarms li", has_text="A send is paused").count() == 0
