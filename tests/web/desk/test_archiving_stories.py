"""Archived stories leave the inbox and the chooser, are found by a filter, and come back; their history says so."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.log_actions import registry
from wagtail.models import Revision

from composer.models import Edition, Publication, Story
from tests.web.desk.conftest import Make
from tests.web.desk.test_story_inbox import LIST, bulk, results

pytestmark = pytest.mark.integration


def archived(desk: Client, *stories: Story) -> str:
    return desk.post(bulk("archive", "story", *stories), follow=True).content.decode()


def test_archived_stories_leave_list_search_and_chooser_and_a_filter_finds_them(
    desk: Client, stories: list[Story]
) -> None:
    assert "2 stories archived." in archived(desk, *stories[:2])

    shown = desk.get(LIST).content.decode()
    assert "A bridge is closed" not in shown
    assert "The library reopens" in shown
    assert "A bridge is closed" not in results(desk, q="bridge")
    assert "A bridge is closed" in results(desk, q="bridge", archived="true")
    found = results(desk, archived="true")
    assert "A bridge is closed" in found
    assert "The library reopens" not in found
    chooser = desk.get(reverse("wagtailsnippetchoosers_composer_story:choose")).json()["html"]
    assert "A bridge is closed" not in chooser
    assert Story.objects.count() == 3


def test_a_story_is_archived_and_brought_back_from_its_menu(desk: Client, ada: Any, stories: list[Story]) -> None:
    story = stories[1]
    assert f"archive/?id={story.pk}&amp;next=" in desk.get(LIST).content.decode()
    archived(desk, story)
    assert f"bring_back/?id={story.pk}&amp;next=" in results(desk, archived="true")

    said = desk.post(bulk("bring_back", "story", story), follow=True).content.decode()

    assert "1 story brought back to the inbox." in said
    assert "A bridge is closed" in desk.get(LIST).content.decode()
    entries = registry.get_logs_for_instance(story).order_by("pk")
    assert [(entry.action, entry.user) for entry in entries] == [
        ("newsdesk.archive", ada),
        ("newsdesk.bring_back", ada),
    ]


def test_archiving_changes_neither_the_edition_nor_what_an_old_version_brings_back(
    desk: Client, edition: Edition, stories: list[Story]
) -> None:
    revision = stories[0].save_revision()
    archived(desk, stories[0])

    edition.refresh_from_db()
    assert edition.content[0].value["headline"] == "Rivers rise in the north"
    brought_back = Revision.objects.get(pk=revision.pk).as_object()
    assert brought_back.archived_at is not None


def test_only_who_may_write_there_archives(
    client: Client, make_user: Make, publication: Publication, stories: list[Story]
) -> None:
    client.force_login(make_user("anna", "analyst", publication=publication))

    client.post(bulk("archive", "story", *stories))

    assert not Story.objects.exclude(archived_at=None).exists()


def test_a_topic_given_to_several_is_in_each_ones_history(desk: Client, ada: Any, stories: list[Story]) -> None:
    desk.post(bulk("set_topic", "story", *stories[:2]), {"topics": "Water"})

    for story in stories[:2]:
        story.refresh_from_db()
        assert story.latest_revision is not None
        assert story.latest_revision.content["topics"] == "Water"
        assert story.latest_revision.user == ada
        entry = registry.get_logs_for_instance(story).first()
        assert (entry.action, entry.user, entry.revision) == ("wagtail.edit", ada, story.latest_revision)


def test_the_list_says_what_tells_the_same_news_with_few_queries(
    desk: Client, publication: Publication, django_assert_max_num_queries: Any
) -> None:
    headlines = (
        "TikTok revenue surges 75 percent in third quarter",
        "TikTok's revenue surges 75% in its third quarter",
    )
    for headline in headlines:
        Story.objects.create(
            publication=publication, headline=headline, lede="ByteDance said so in Singapore on Monday."
        )
    for number in range(10):
        Story.objects.create(publication=publication, headline=f"Something else, number {number}, happened")
    desk.get(LIST)
    Story.objects.filter(headline=headlines[0]).first().save()  # type: ignore[union-attr]  # what is remembered is of before

    with django_assert_max_num_queries(30):
        page = desk.get(LIST).content.decode()

    assert f"same news as “{headlines[0]}”".replace("'", "&#x27;") in page
    assert f"same news as “{headlines[1]}”".replace("'", "&#x27;") in page
    assert page.count("same news as") == 2
