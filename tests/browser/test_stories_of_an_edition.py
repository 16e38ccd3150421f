"""Stories come into the open edition from the inbox, are fetched anew and written back, and are remarked on; without leaving."""

from typing import Any

import pytest

from composer.models import Edition, Publication, Remark, Story
from composer.next_edition import follow_on
from tests.browser.pictures import picture
from tests.browser.test_edition_page import blocks, open_edition, order
from tests.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_several_stories_are_added_from_the_inbox_without_leaving(
    desk: Any, live_server: Any, edition: Edition, publication: Publication
) -> None:
    for headline in ("Ferries sail again", "Harbour lights go out", "Trams run late"):
        Story.objects.create(publication=publication, headline=headline, lede="So it was said.")
    open_edition(desk, live_server, edition)
    desk.get_by_role("button", name="Add stories from the inbox").click()
    dialog = desk.locator(".modal-body")
    dialog.get_by_text("Harbour lights go out").wait_for()
    picture(desk, "choose-stories")
    for headline in ("Ferries sail again", "Trams run late"):
        dialog.locator("tr", has_text=headline).locator("input[type=checkbox]").check()
    dialog.get_by_role("button", name="Confirm selection").click()

    desk.locator(".desk-order__item").nth(13).wait_for()
    assert set(order(desk)[12:]) == {"Ferries sail again", "Trams run late"}
    assert blocks(desk) == order(desk)
    assert eventually(lambda: edition.placements.count() == 14)


def test_a_block_is_refreshed_from_its_story_and_saved_to_it(desk: Any, live_server: Any, edition: Edition) -> None:
    story = edition.content[0].value["story"]
    Story.objects.filter(pk=story.pk).update(headline="What the story says now")
    open_edition(desk, live_server, edition)
    desk.evaluate("newsdesk.jump({ jumpBlock: newsdesk.stream.children[0].id, jumpField: 'headline' })")
    tools = desk.locator(".desk-copy").first
    assert "for this edition only" in tools.inner_text()

    tools.get_by_role("button", name="Refresh from story").click()
    tools.get_by_text("This replaces what the block says now.").wait_for()
    assert blocks(desk)[0] == story.headline
    tools.get_by_role("button", name="Replace it").click()
    assert blocks(desk)[0] == "What the story says now"
    tools.get_by_role("button", name="Undo the refresh").click()
    assert blocks(desk)[0] == story.headline
    picture(desk, "story-block")

    field = desk.locator("input[name$='-value-headline']").first
    field.fill("What the edition says")
    tools.get_by_role("button", name="Save to story").click()
    tools.get_by_text("Saved to the story").wait_for()
    assert Story.objects.get(pk=story.pk).headline == "What the edition says"
    tools.get_by_role("button", name="Refresh from story").click()
    tools.get_by_text("It says what the story says.").wait_for()


def test_a_remark_is_added_and_resolved_beside_its_block(desk: Any, live_server: Any, edition: Edition) -> None:
    open_edition(desk, live_server, edition)
    desk.evaluate("newsdesk.jump({ jumpBlock: newsdesk.stream.children[1].id, jumpField: 'headline' })")
    beside = desk.locator(".desk-remarks").nth(1)
    beside.locator("summary").click()
    beside.get_by_label("Remark on this block").fill("Who says so?")
    beside.get_by_role("button", name="Add the remark").click()

    beside.get_by_text("Remarks: 1 open").wait_for()
    picture(desk, "remark")
    remark = Remark.objects.get()
    assert (remark.text, str(remark.block_id)) == ("Who says so?", edition.content[1].id)
    assert desk.locator("[data-remarks-count]").text_content().startswith("1 open")
    beside.get_by_role("button", name="Resolve").click()
    beside.locator("summary").get_by_text("Remarks", exact=True).wait_for()
    remark.refresh_from_db()
    assert remark.resolved_at is not None


def test_last_weeks_words_are_kept_with_one_click(
    desk: Any, live_server: Any, edition: Edition, publication: Publication
) -> None:
    new = follow_on(Edition(title="The next one"), publication)
    new.content = edition.content
    new.save()
    new.save_revision()
    open_edition(desk, live_server, new)
    note = desk.locator("[data-standing=introduction]")
    assert "From last week" in note.inner_text()
    note.scroll_into_view_if_needed()
    picture(desk, "standing-matter")
    note.get_by_role("button").click()

    note.wait_for(state="hidden")
    assert eventually(lambda: Edition.objects.get(pk=new.pk).kept == "introduction")
