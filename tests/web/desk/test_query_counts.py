"""No page of the desk asks the database more the more there is."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from composer import story_copying
from composer.models import Edition, Publication, Remark, Story

pytestmark = pytest.mark.integration
MOST = 30


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
