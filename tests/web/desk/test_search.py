"""The sidebar's search: stories, editions and readers, each for those who may see them."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from composer.models import Edition
from tests import factories
from web.desk.search import beginning

pytestmark = pytest.mark.integration

Make = Callable[..., Any]


def found(client: Client, words: str) -> str:
    response = client.get(reverse("desk_search"), {"q": words})
    assert response.status_code == 200
    return response.content.decode().partition('role="search"')[2]


def test_the_sidebar_leads_there_and_not_to_pages(desk: Client, edition: Edition) -> None:
    page = desk.get(reverse("wagtailadmin_home")).content.decode()

    props = re.search(r'id="wagtail-sidebar-props"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert props is not None
    (search,) = [one for one in json.loads(props[1])["modules"] if one.get("_type") == "wagtail.sidebar.SearchModule"]
    assert search["_args"] == [reverse("desk_search")]
    assert reverse("wagtailadmin_pages:search") not in found(desk, "water")


def test_wagtails_pages_are_nowhere(desk: Client) -> None:
    assert desk.get("/desk/pages/").status_code == 404
    assert desk.get(reverse("wagtailadmin_pages:search")).status_code == 404


def test_it_finds_editions_by_title_subject_and_number(desk: Client, edition: Edition) -> None:
    Edition.objects.filter(pk=edition.pk).update(subject="High tide", number=118)

    for words in ("stone", "HIGH TIDE", "118", "No. 118"):
        assert "Water and stone (No. 118)" in found(desk, words)
    assert "Water and stone" not in found(desk, "119")


def test_it_finds_stories_with_all_the_words(desk: Client, edition: Edition) -> None:
    assert "The library reopens" in found(desk, "reopens library")
    assert "The library reopens" not in found(desk, "reopens rivers")


def test_it_finds_readers_by_how_address_or_name_begins(desk: Client, edition: Edition) -> None:
    readers = factories.make_list(edition.publication)
    factories.make_subscriber(readers, email="Grace@navy.example", name="Grace Hopper")
    factories.make_subscriber(email="hopper@example.org", name="Someone", language="")

    assert "Grace@navy.example" in found(desk, "grace@n")
    assert "Readers of The Weekly: active" in found(desk, "GRACE H")
    assert "hopper@example.org" in found(desk, "hopper")
    assert "on no list" in found(desk, "hopper")
    assert "Whoever runs this Newsdesk imports readers." in found(desk, "import")


@pytest.mark.parametrize("words", ["%", "_", "'", "\\", "“", "9" * 400])
def test_any_words_are_taken_as_they_are(desk: Client, edition: Edition, words: str) -> None:
    factories.make_subscriber(email="grace@example.com")

    assert "grace@example.com" not in found(desk, words)


def test_nobody_finds_what_they_may_not_see(edition: Edition, make_user: Make) -> None:
    factories.make_subscriber(email="water@example.com")
    writer = Client()
    writer.force_login(make_user("writer", "writer"))
    stranger = Client()
    stranger.force_login(make_user("stranger", "administrator", publication=factories.make_publication()))

    assert "Water and stone" in found(writer, "water")
    assert "water@example.com" not in found(writer, "water")
    page = found(stranger, "water")
    assert "found-stories" in page
    assert "water@example.com" not in page
    assert "Water and stone" not in page


def test_readers_are_looked_up_by_an_index(edition: Edition) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")

    assert "subscribers_subscriber_address" in beginning("email", "grace").explain()
    assert "subscribers_subscriber_name" in beginning("name", "grace").explain()


def test_it_costs_few_queries(desk: Client, edition: Edition, django_assert_max_num_queries: Any) -> None:
    readers = factories.make_list(edition.publication)
    for number in range(5):
        factories.make_subscriber(readers, email=f"water{number}@example.com")
    found(desk, "water")

    with django_assert_max_num_queries(15):
        found(desk, "water")
