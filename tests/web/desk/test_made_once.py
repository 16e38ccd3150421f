"""A page on which an edition or a story is written makes one of it, however often and however fast it is posted."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from wagtail.test.utils.form_data import rich_text

from composer.models import Edition, Publication, Story
from tests.web.desk.conftest import logged_in_just_now

pytestmark = pytest.mark.integration

Make = Callable[..., Any]
ADD = "wagtailsnippets_composer_edition:add"
JSON = {"accept": "application/json"}


@pytest.fixture
def posted(desk: Client, publication: Publication, form: Make) -> dict[str, Any]:
    page = desk.get(reverse(ADD)).content.decode()
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found
    return {
        **form(blocks=[], title="Ferries", publication=str(publication.pk), slot="2030-01-07 09:00"),
        "form_token": found[1],
    }


def test_save_after_the_first_autosave_goes_on_with_its_edition(desk: Client, posted: dict[str, Any]) -> None:
    assert desk.post(reverse(ADD), posted, headers=JSON).json()["success"]
    response = desk.post(reverse(ADD), {**posted, "title": "Ferries sail"})

    edition = Edition.objects.get()
    assert response["location"] == reverse("wagtailsnippets_composer_edition:edit", args=[edition.pk])
    assert edition.title == "Ferries sail" == edition.latest_revision.content["title"]


def test_an_autosave_that_comes_late_overwrites_nothing_and_says_what_to_do(
    desk: Client, posted: dict[str, Any]
) -> None:
    desk.post(reverse(ADD), {**posted, "title": "Ferries sail"})
    answer = desk.post(reverse(ADD), posted, headers=JSON)

    assert answer.status_code == 400
    assert "Click Save" in answer.json()["error_message"]
    assert Edition.objects.get().title == "Ferries sail"


def test_two_pages_make_two_editions_and_what_is_no_token_is_left_alone(desk: Client, posted: dict[str, Any]) -> None:
    for token in (posted["form_token"], "", "no token"):
        desk.post(reverse(ADD), {**posted, "form_token": token, "slot": ""})
    assert Edition.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_several_requests_at_once_make_one_edition(desk: Client, ada: Any, posted: dict[str, Any]) -> None:
    def save(number: int) -> int:
        client = Client()
        client.force_login(ada)
        logged_in_just_now(client)
        try:
            return client.post(reverse(ADD), {**posted, "title": f"Ferries {number}"}).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(save, range(4))) == {302}
    assert Edition.objects.count() == 1


def test_a_story_that_is_saved_during_its_first_autosave_is_made_once(desk: Client, publication: Publication) -> None:
    add = reverse("wagtailsnippets_composer_story:add")
    token = re.search(r'name="form_token" value="([^"]+)"', desk.get(add).content.decode())
    assert token
    fields = {"publication": str(publication.pk), "headline": "Ferries", "body": rich_text("<p>Nine boats.</p>")}
    posted = {**fields, "form_token": token[1]}

    assert desk.post(add, posted, headers=JSON).json()["success"]
    response = desk.post(add, {**posted, "headline": "Ferries sail"})
    late = desk.post(add, posted, headers=JSON)

    story = Story.objects.get()
    assert response["location"] == reverse("wagtailsnippets_composer_story:list")
    assert (story.headline, story.latest_revision.content["headline"]) == ("Ferries sail", "Ferries sail")
    assert "This story was saved meanwhile" in late.json()["error_message"]
