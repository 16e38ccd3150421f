"""No page of the desk asks the database more the more there is."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from composer import story_copying
from composer.models import Edition, Publication, Remark, Story
from tests.browser.desk_pages import addresses
from tests.browser.desk_world import make_desk_world

pytestmark = pytest.mark.integration
MOST = 30
LOOKED_AT = (
    "home",
    "edition-add",
    "edition-sent",
    "edition-paused",
    "edition-sending",
    "edition-approved",
    "sources",
    "publication-edit",
    "calendar",
    "search",
    "team",
)


@pytest.fixture
def long_edition(edition: Edition, publication: Publication) -> Edition:
    """Twelve stories, each copied from one of its own, with remarks; and an edition before it."""
    new = Edition(publication=publication, title="The long one")
    for number in range(12):
        story = Story.objects.create(publication=publication, headline=f"Number {number}", lede="It happened.")
        new.content.append(("story", story_copying.copy_of(story)))
    new.save()
    new.save_revision()
    for child in new.content:
        Remark.objects.create(edition=new, block_id=child.id, text="Why?")
    return new


def test_the_editions_page(desk: Client, long_edition: Edition, django_assert_max_num_queries: Any) -> None:
    url = reverse("wagtailsnippets_composer_edition:edit", args=[long_edition.pk])
    desk.get(url)

    with django_assert_max_num_queries(MOST):
        assert desk.get(url).status_code == 200


def test_the_list_of_stories(desk: Client, long_edition: Edition, django_assert_max_num_queries: Any) -> None:
    desk.get("/desk/stories/")

    with django_assert_max_num_queries(MOST):
        assert desk.get("/desk/stories/").status_code == 200


def test_the_remarks(desk: Client, long_edition: Edition, django_assert_max_num_queries: Any) -> None:
    url = reverse("wagtailsnippets_composer_edition:remarks", args=[long_edition.pk])
    desk.get(url)

    with django_assert_max_num_queries(10):
        assert len(desk.get(url).json()["remarks"]) == 12


def test_pages_of_a_desk_in_its_third_month(desk: Client, publication: Publication) -> None:
    """With editions in every state, readers, sources and a team; benchmarks/desk.py has all pages, and ten years."""
    pages = addresses(make_desk_world(publication))
    asked = {}
    for name in LOOKED_AT:
        assert desk.get(pages[name]).status_code == 200, name
        with CaptureQueriesContext(connection) as captured:
            desk.get(pages[name])
        # The tests' own transaction makes savepoints of what else would begin one.
        asked[name] = sum("SAVEPOINT" not in one["sql"] for one in captured)

    assert {name: queries for name, queries in asked.items() if queries > MOST} == {}
