"""The inbox: found by any of their words, put into an edition many at once, never lost to an edition that uses them."""

from io import BytesIO
from typing import Any

import pytest
from django.core.files.images import ImageFile
from django.test import Client
from django.urls import reverse
from PIL import Image as Picture
from wagtail.images import get_image_model

from composer.approval import approve
from composer.models import Edition, Publication, Story

pytestmark = pytest.mark.integration
LIST = "/desk/stories/"


def bulk(action: str, model: str, *objects: Any) -> str:
    ids = "&".join(f"id={one.pk}" for one in objects)
    return reverse("wagtail_bulk_action", args=["composer", model, action]) + f"?next={LIST}&{ids}"


def results(desk: Client, **query: str) -> str:
    return desk.get(reverse("wagtailsnippets_composer_story:list_results"), query).content.decode()


def test_a_story_is_found_by_headline_text_and_source_as_one_types(desk: Client, publication: Publication) -> None:
    for number, fields in enumerate(
        (
            {"headline": "Ferries sail"},
            {"lede": "An archipelago waits."},
            {"body": "<p>Lighthouse keepers</p>"},
            {"source_name": "Harbour Post"},
        )
    ):
        Story.objects.create(publication=publication, **{"headline": f"Number {number}", **fields})

    for typed, headline in (
        ("ferr", "Ferries sail"),
        ("archip", "Number 1"),
        ("lightho", "Number 2"),
        ("harb", "Number 3"),
    ):
        shown = results(desk, q=typed)
        assert headline in shown
        assert shown.count("<tr") == 2


def test_the_list_shows_topic_source_and_where_it_ran(desk: Client, edition: Edition, stories: list[Story]) -> None:
    Story.objects.filter(pk=stories[1].pk).update(topics="Bridges", source_name="The Herald")

    page = desk.get(LIST).content.decode()

    assert "No. 1 as #2" in page
    assert "Bridges" in page
    assert "The Herald" in page
    assert "A bridge" in results(desk, topics="bridge")
    assert "A bridge" not in results(desk, source_name="Tribune")


def test_used_stories_and_approved_editions_are_not_deleted_and_are_named(
    desk: Client, ada: Any, edition: Edition, stories: list[Story], publication: Publication
) -> None:
    unused = Story.objects.create(publication=publication, headline="Nobody used this")

    refused = desk.post(bulk("delete", "story", unused, stories[0]), follow=True).content.decode()
    assert "“Rivers rise in the north” ran in No. 1 as #1" in refused
    assert "#1" in desk.post(f"/desk/stories/delete/{stories[0].pk}/", follow=True).content.decode()
    assert Story.objects.count() == 4

    approve(edition, by=ada, audience_rules={})
    refused = desk.post(bulk("delete", "edition", edition), follow=True).content.decode()
    assert "it is the record of what was sent" in refused
    assert Edition.objects.exists()

    desk.post(bulk("delete", "story", unused))
    assert not Story.objects.filter(pk=unused.pk).exists()


def test_several_stories_are_added_to_an_edition_at_once(
    desk: Client, edition: Edition, stories: list[Story], publication: Publication
) -> None:
    new = [Story.objects.create(publication=publication, headline=f"New {number}") for number in (1, 2)]
    url = bulk("add_to_edition", "story", *new, stories[0])
    assert "Water and stone (No. 1)" in desk.get(url).content.decode()

    said = desk.post(url, {"edition": edition.pk}, follow=True).content.decode()

    assert "2 stories added to Water and stone (No. 1); 1 stood there already." in said
    edition.refresh_from_db()
    assert [child.value["headline"] for child in edition.content][-2:] == ["New 2", "New 1"]
    assert edition.placements.count() == 5


def test_an_approved_edition_takes_no_more_stories(
    desk: Client, ada: Any, edition: Edition, stories: list[Story]
) -> None:
    approve(edition, by=ada, audience_rules={})

    desk.post(bulk("add_to_edition", "story", stories[0]), {"edition": edition.pk})

    assert edition.approval is not None


def test_several_stories_get_a_topic_at_once(desk: Client, stories: list[Story]) -> None:
    desk.post(bulk("set_topic", "story", *stories[:2]), {"topics": " Water , Stone"})

    assert [story.topics for story in Story.objects.order_by("pk")] == ["Water, Stone", "Water, Stone", ""]


def test_the_list_costs_few_queries_however_many_pictures(
    desk: Client, publication: Publication, django_assert_max_num_queries: Any
) -> None:
    file = BytesIO()
    Picture.new("RGB", (90, 60)).save(file, "PNG")
    for number in range(12):
        image = get_image_model().objects.create(
            title="A", file=ImageFile(BytesIO(file.getvalue()), name=f"{number}.png")
        )
        Story.objects.create(publication=publication, headline=f"Number {number}", image=image)
    desk.get(LIST)

    with django_assert_max_num_queries(30):
        page = desk.get(LIST).content.decode()
    assert page.count('class="desk-thumb"') == 12
