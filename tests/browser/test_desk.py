"""The weekly hour at the desk, in a real browser."""

from typing import Any

import pytest

from composer.models import Approval, Edition, Publication, Story
from newsdesk.core.paths import samples_dir
from tasks.alarms.raising import raise_alarm
from tasks.models import TransactionalMail
from tests.browser.pictures import picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def headlines(page: Any) -> list[str]:
    """The headlines of the story blocks in the open form, in their order."""
    found: list[str] = page.eval_on_selector_all(
        "[data-contentpath=content] input[name$='-value-headline']", "inputs => inputs.map(input => input.value)"
    )
    return found


def move_up(page: Any, headline: str) -> None:
    before = headlines(page).index(headline)
    block = page.locator("[data-contentpath=content] [data-streamfield-child]").nth(before)
    block.locator("button[title='Move up']").first.click()
    page.wait_for_function(
        """([headline, place]) => [...document.querySelectorAll("[data-contentpath=content] input[name$='-value-headline']")]
            .findIndex(input => input.value === headline) === place""",
        arg=[headline, before - 1],
    )


def said(page: Any, words: str) -> None:
    """Wait for the desk's message."""
    page.locator(".messages").get_by_text(words).first.wait_for()


def first_headline_in_preview(page: Any) -> str:
    frame = page.frame_locator("#w-preview-iframe")
    return str(frame.locator("h2").first.inner_text())


def test_a_digest_becomes_an_edition_in_three_clicks(desk: Any, publication: Publication) -> None:
    digest = (samples_dir() / "technology-week.txt").read_text(encoding="utf-8")

    desk.click("text=Paste a digest")
    desk.fill("#id_text", digest)
    desk.click("button[name=read]")
    desk.locator(".desk-reading__stories li").nth(11).wait_for()
    desk.click("button[name=edition]")
    desk.wait_for_url("**/desk/editions/edit/**")

    assert len(headlines(desk)) == 12
    assert Edition.objects.get().publication == publication


def test_what_is_pasted_keeps_its_links(desk: Any, live_server: Any, publication: Publication) -> None:
    html = "<h1>Weekly</h1>" + "".join(
        f"<h2>{headline}</h2><p>The <a href='https://example.com/a'>council</a> voted for it on Tuesday night.</p>"
        for headline in ("Quay closes", "Trams run")
    )
    desk.goto(f"{live_server.url}/desk/add-stories/")
    desk.evaluate(
        """html => {
            const data = new DataTransfer();
            data.setData("text/html", html);
            const text = document.getElementById("id_text");
            text.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true}));
            text.value = "Weekly Quay closes Trams run";
            text.dispatchEvent(new Event("input", {bubbles: true}));
        }""",
        html,
    )
    desk.get_by_text("The links and headings of what you pasted are kept").wait_for()
    desk.click("button[name=read]")
    desk.get_by_text("Nothing is stored yet").wait_for()
    desk.click("button[name=stories]")
    said(desk, "2 new stories are in the inbox")

    assert 'href="https://example.com/a"' in Story.objects.get(headline="Trams run").body


def test_the_order_seen_in_the_preview_is_approved_and_then_sent(desk: Any, live_server: Any, edition: Edition) -> None:
    stories = [placement.headline for placement in edition.placements.all()]
    assert len(stories) == 12
    fifth = stories[4]

    desk.goto(f"{live_server.url}/desk/editions/edit/{edition.pk}/")
    for _ in range(4):
        move_up(desk, fifth)
    assert headlines(desk) == [fifth, *stories[:4], *stories[5:]]
    desk.click("[data-side-panel-toggle=preview]")
    desk.frame_locator("#w-preview-iframe").get_by_text(fifth).first.wait_for()
    desk.wait_for_function(
        "headline => document.querySelector('#w-preview-iframe').contentDocument.querySelector('h2')"
        "?.innerText.includes(headline)",
        arg=fifth,
    )
    assert fifth in first_headline_in_preview(desk)
    desk.click("button[name=action-approve]")
    said(desk, "is approved")

    approval = Approval.objects.standing().get()
    frozen = approval.variants.get()
    assert frozen.text.index(fifth) < min(frozen.text.index(other) for other in stories if other != fifth)
    placed = edition.placements.order_by("number").values_list("headline", flat=True)
    assert list(placed) == [fifth, *stories[:4], *stories[5:]]

    change_the_story(desk, live_server, fifth)
    variant = Approval.objects.standing().get().variants.get()
    assert (variant.html, variant.text) == (frozen.html, frozen.text)
    assert fifth in variant.html


def change_the_story(page: Any, live_server: Any, headline: str) -> None:
    story = Story.objects.get(headline=headline)
    page.goto(f"{live_server.url}/desk/stories/edit/{story.pk}/")
    page.fill("#id_headline", "Something else entirely")
    page.get_by_role("button", name="Save", exact=True).click()
    said(page, "updated")
    story.refresh_from_db()
    assert story.headline == "Something else entirely"


def test_picking_a_story_copies_it_into_the_open_form(desk: Any, live_server: Any, publication: Publication) -> None:
    Story.objects.create(
        publication=publication, headline="The ferry sails again", lede="At last.", body="<p>Daily.</p>"
    )

    desk.goto(f"{live_server.url}/desk/editions/add/")
    desk.fill("#id_title", "Ferries")
    desk.click("[data-contentpath=content] button[title='Insert a block']")
    desk.get_by_role("option", name="Story").first.click()
    desk.get_by_role("button", name="Choose story").first.click()
    desk.locator(".modal-body a").filter(has_text="The ferry sails again").first.click()
    desk.wait_for_function(
        "() => document.querySelector(\"input[name='content-0-value-headline']\")?.value === 'The ferry sails again'"
    )
    assert desk.input_value("textarea[name='content-0-value-lede']") == "At last."
    desk.get_by_text("Daily.").first.wait_for()
    desk.get_by_role("button", name="Save", exact=True).click()
    said(desk, "Ferries (No. 1)")

    value = Edition.objects.get().content[0].value
    assert (value["headline"], value["lede"]) == ("The ferry sails again", "At last.")
    assert "Daily." in value["body"].source


def test_an_editor_sends_herself_a_test_and_sees_to_an_alarm(desk: Any, edition: Edition, live_server: Any) -> None:
    raise_alarm("slot_missed", "Friday's edition of The Plain Machine was not approved in time.", edition_id=edition.pk)
    desk.goto(f"{live_server.url}/desk/")
    assert "Friday's edition" in desk.locator(".desk-alarms").inner_text()
    picture(desk, "alarms")
    desk.click(".desk-alarms button[type=submit]")
    said(desk, "it is off the list")
    assert desk.locator(".desk-alarms").count() == 0

    desk.goto(f"{live_server.url}/desk/editions/edit/{edition.pk}/")
    desk.click("[aria-label='Toggle test']")
    assert desk.input_value("#desk-test-addresses") == "ada@example.com"
    desk.click(".desk-test button", trial=True)
    picture(desk, "test")
    desk.click(".desk-test button")
    said(desk, "A test is on its way to ada@example.com")
    assert TransactionalMail.objects.get().subject.startswith("[Test] ")
