"""Stories become blocks of the open form, and a block's words go back to its story."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from composer.models import Edition, Publication, Story
from tests.web.desk.conftest import Make

pytestmark = pytest.mark.integration
AS_BLOCKS = "/desk/stories/as-blocks/"


def save_url(story: Story) -> str:
    return reverse("wagtailsnippets_composer_story:take_words", args=[story.pk])


def test_chosen_stories_come_as_blocks_in_their_order(desk: Client, stories: list[Story]) -> None:
    blocks = desk.get(AS_BLOCKS, {"id": [stories[2].pk, stories[0].pk, stories[2].pk, 999999, "x"]}).json()["blocks"]

    assert [block["value"]["headline"] for block in blocks] == ["The library reopens", "Rivers rise in the north"]
    assert {block["type"] for block in blocks} == {"story"}
    assert blocks[0]["value"]["story"]["id"] == stories[2].pk
    assert blocks[0]["value"]["public"] is True
    assert len({block["id"] for block in blocks}) == 2


def test_stories_of_other_publications_do_not_come(
    client: Client, make_user: Make, stories: list[Story], publication: Publication
) -> None:
    other = Publication.objects.create(
        slug="other", title="Other", from_name="O", from_email="o@example.com", postal_address="Somewhere"
    )
    client.force_login(make_user("will", "writer", publication=other))

    assert client.get(AS_BLOCKS, {"id": stories[0].pk}).json() == {"blocks": []}
    assert client.post(save_url(stories[0]), {}).status_code == 404


def test_the_chooser_lets_one_choose_several(desk: Client, stories: list[Story]) -> None:
    shown = desk.get(reverse("wagtailsnippetchoosers_composer_story:choose"), {"multiple": "1"}).json()["html"]

    assert shown.count("data-multiple-choice-select") >= 3


def test_a_blocks_words_are_saved_to_its_story_as_a_revision(
    desk: Client, ada: Any, edition: Edition, stories: list[Story], form: Make
) -> None:
    block = edition.content[0]
    blocks = [("story", {**block.value, "headline": "Rivers fall", "lede": "At last."}, block.id)]
    data = {**form(edition, blocks=blocks), "prefix": "content-0-value"}

    assert desk.post(save_url(stories[0]), data).json() == {"saved": "Rivers fall"}

    story = Story.objects.get(pk=stories[0].pk)
    assert (story.headline, story.lede) == ("Rivers fall", "At last.")
    assert "begins with a map" in story.body
    assert story.latest_revision is not None
    assert story.latest_revision.user == ada
    edition.refresh_from_db()
    assert edition.content[0].value["headline"] == "Rivers rise in the north"


def test_what_cannot_be_a_story_is_refused_in_words(
    desk: Client, edition: Edition, stories: list[Story], form: Make
) -> None:
    block = edition.content[0]
    data = {**form(edition, blocks=[("story", {**block.value, "headline": ""}, block.id)]), "prefix": "content-0-value"}

    refused = desk.post(save_url(stories[0]), data)

    assert refused.status_code == 400
    assert refused.json()["error"].startswith("Not saved.")
    assert desk.post(save_url(stories[0]), {}).status_code == 400
    assert Story.objects.get(pk=stories[0].pk).headline == "Rivers rise in the north"
